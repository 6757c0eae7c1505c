internal import FilterAPI

/// The memory of one stream, as a codec reaches it.
///
/// SAFETY: all memory is allocated and initialised with the object and freed with it.
@safe
final class FakeCodecStream {
    /// Room for a codec's own state of a stream; zero when the stream begins.
    static let stateSize = 1024

    var generation: UInt32 = 0
    let request = UnsafeMutablePointer<RequestHead>.allocate(capacity: 1)
    let response = UnsafeMutablePointer<ResponseHead>.allocate(capacity: 1)
    let requestTrailers = UnsafeMutablePointer<Headers>.allocate(capacity: 1)
    let responseTrailers = UnsafeMutablePointer<Headers>.allocate(capacity: 1)
    let facts = UnsafeMutablePointer<StreamFacts>.allocate(capacity: 1)
    let state = UnsafeMutableRawPointer.allocate(byteCount: stateSize, alignment: 16)

    init() {
        unsafe request.initialize(to: RequestHead())
        unsafe response.initialize(to: ResponseHead())
        unsafe requestTrailers.initialize(to: Headers())
        unsafe responseTrailers.initialize(to: Headers())
        unsafe facts.initialize(to: StreamFacts())
        unsafe state.initializeMemory(as: UInt8.self, repeating: 0, count: Self.stateSize)
    }

    deinit {
        unsafe request.deinitialize(count: 1).deallocate()
        unsafe response.deinitialize(count: 1).deallocate()
        unsafe requestTrailers.deinitialize(count: 1).deallocate()
        unsafe responseTrailers.deinitialize(count: 1).deallocate()
        unsafe facts.deinitialize(count: 1).deallocate()
        unsafe state.deallocate()
    }

    /// Makes ready for the next stream in this place.
    func reset() {
        generation &+= 1
        unsafe request.pointee.reset()
        unsafe response.pointee.reset()
        unsafe requestTrailers.pointee.reset()
        unsafe responseTrailers.pointee.reset()
        unsafe facts.pointee = StreamFacts()
        unsafe state.initializeMemory(as: UInt8.self, repeating: 0, count: Self.stateSize)
    }
}
