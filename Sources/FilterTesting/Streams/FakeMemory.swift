internal import FilterAPI

/// What all filters of one stream have in common, as in the host: the heads, the facts, the clock, the client.
///
/// SAFETY: all memory is allocated and initialised with the object, and freed with it.
@safe
final class FakeMemory {
    let clock: ManualClock
    let connection = ConnectionFacts()
    let pages = PagePool()
    let request = UnsafeMutablePointer<RequestHead>.allocate(capacity: 1)
    let response = UnsafeMutablePointer<ResponseHead>.allocate(capacity: 1)
    let requestTrailers = UnsafeMutablePointer<Headers>.allocate(capacity: 1)
    let responseTrailers = UnsafeMutablePointer<Headers>.allocate(capacity: 1)
    let facts = UnsafeMutablePointer<StreamFacts>.allocate(capacity: 1)
    /// The request was answered: what still comes of it goes nowhere.
    var isRequestDropped = false

    init(_ request: consuming RequestHead = .fake(), clock: ManualClock = ManualClock()) {
        self.clock = clock
        unsafe self.request.initialize(to: request)
        unsafe response.initialize(to: ResponseHead())
        unsafe requestTrailers.initialize(to: Headers())
        unsafe responseTrailers.initialize(to: Headers())
        unsafe facts.initialize(to: StreamFacts())
        connection.remoteIP = "192.0.2.7"
        connection.remoteAddress = "192.0.2.7:41000"
        unsafe facts.pointee.start = clock.now
    }

    deinit {
        unsafe facts.deinitialize(count: 1).deallocate()
        unsafe responseTrailers.deinitialize(count: 1).deallocate()
        unsafe requestTrailers.deinitialize(count: 1).deallocate()
        unsafe response.deinitialize(count: 1).deallocate()
        unsafe request.deinitialize(count: 1).deallocate()
    }

    /// Puts a response's head in place.
    func setResponse(_ status: Status, _ fields: [(name: String, value: String)], last: Bool) {
        unsafe response.pointee.reset()
        unsafe response.pointee.status = status
        unsafe response.pointee.headers.fill(fields)
        let length = unsafe response.pointee.headers.withValue(.contentLength) { ASCII.number($0) } ?? nil
        unsafe response.pointee.bodyLength = last ? .none : length.map { .known($0) } ?? .unknown
    }

    /// Puts a message's trailers in place.
    func setTrailers(_ fields: [(name: String, value: String)], isRequest: Bool) {
        let trailers = unsafe isRequest ? requestTrailers : responseTrailers
        unsafe trailers.pointee.reset()
        unsafe trailers.pointee.fill(fields)
    }
}
