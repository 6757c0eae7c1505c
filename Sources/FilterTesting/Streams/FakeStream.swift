public import FilterAPI

/// A stream around one HTTP filter: shows it events, does what it asks for, and keeps what goes on.
///
/// ```swift
/// let worker = FakeWorker()
/// let stream = FakeStream(try worker.make(KeyFilter.self) { $0.key = "secret" })
/// stream.requestHead(last: true)
/// #expect(stream.reply?.status == 401)
/// ```
///
/// The rules are those of the host: nothing that a filter asks for happens before it has returned, what is held goes
/// on in order, tokens are used from any thread and take effect at ``settle()``, and time moves by
/// ``advance(by:)`` only.
///
/// SAFETY: all memory is allocated and initialised with the object, and freed with it.
@safe
public final class FakeStream<F: HTTPEvents> {
    /// The filter.
    public let filter: F
    /// The clock.
    public let clock = ManualClock()
    /// What the filter is told of the client.
    public let connection = ConnectionFacts()
    /// What the matched route sets for the filter; nil where it sets nothing.
    public var routeSettings: F.RouteSettings? {
        didSet {
            ownTable = routeSettings.map { RouteSettingsTable(byStage: [TypedRouteSettings($0)]) }
            unsafe view.pointee.routeTable = ownTable.map { unsafe Unmanaged.passUnretained($0) }
        }
    }
    /// Whether the filter stands in a listener's or a cluster's chain.
    public var side = Side.client

    /// Whether the filter was opened and not closed.
    public var isOpen: Bool { life == .open }
    /// The answer that the filter gave itself; nil where it gave none.
    public internal(set) var reply: RecordedReply?
    /// What the filter threw or asked for, or what the host says of a broken rule; nil where nothing failed.
    public internal(set) var fault: Fault?
    /// The cluster that was attached last.
    public internal(set) var attached: RecordedAttachment?
    /// Requests of the filter's own, in order; see ``answerFetch(_:_:body:)``.
    public internal(set) var fetches: [RecordedFetch] = []
    /// Requests that were sent anew.
    public internal(set) var restarts: [RecordedRestart] = []
    /// Whether the filter has given up what is below it, and not yet sent the request anew.
    public internal(set) var isAbandoned = false
    /// How often it has done so.
    public internal(set) var abandonCount = 0
    /// Whether the limits of the cluster leave room for further tries.
    public var hasRoomForReplay = true
    /// When the whole answer must be there; ``Instant/none`` for no such time.
    public var deadline = Instant.none
    /// Whether the filter holds the request before the cluster that was attached.
    public var isHeldAtCluster: Bool { clusterToken != 0 }
    /// When the filter wants to be woken; nil where it does not.
    public internal(set) var wakeDue: Instant?
    /// Whether the filter has begun a handshake that is not over.
    public internal(set) var isInHandshake = false
    /// The settings that a router gave to the filters of the chain.
    public internal(set) var routeTable: RouteSettingsTable?

    /// Of one stage, the filter's.
    private var ownTable: RouteSettingsTable?
    enum Life { case new, open, declined, closed }
    var life = Life.new
    let pagePool = PagePool()
    let mailbox = FakeMailbox()
    let requestMemory = UnsafeMutablePointer<RequestHead>.allocate(capacity: 1)
    let responseMemory = UnsafeMutablePointer<ResponseHead>.allocate(capacity: 1)
    let requestTrailersMemory = UnsafeMutablePointer<Headers>.allocate(capacity: 1)
    let responseTrailersMemory = UnsafeMutablePointer<Headers>.allocate(capacity: 1)
    let factsMemory = UnsafeMutablePointer<StreamFacts>.allocate(capacity: 1)
    let slot: UnsafeMutableRawPointer
    let view = UnsafeMutablePointer<Stream>.allocate(capacity: 1)
    var down = FakeDirection()
    var up = FakeDirection()
    var serial: UInt32 = 0
    var clusterToken: UInt32 = 0
    /// What the filter's own requests of one call wait with.
    var fetchToken: UInt32 = 0
    var openFetches: [OpenFetch] = []
    /// Whether the filter wants to be called outside of any event.
    var isNudged = false
    var sent: [(isRequest: Bool, bytes: [UInt8], ends: Bool)] = []
    var pendingFault: Fault?

    /// A stream that has not begun.
    ///
    /// - Parameters:
    ///   - filter: the filter; several streams may be around one.
    ///   - request: the request; `GET / ` of `a.test` if not said.
    public init(_ filter: F, _ request: consuming RequestHead = .fake()) {
        self.filter = filter
        let layout = F._stateLayout
        unsafe slot = .allocate(byteCount: max(1, layout.size), alignment: max(16, layout.alignment))
        unsafe requestMemory.initialize(to: request)
        unsafe responseMemory.initialize(to: ResponseHead())
        unsafe requestTrailersMemory.initialize(to: Headers())
        unsafe responseTrailersMemory.initialize(to: Headers())
        unsafe factsMemory.initialize(to: StreamFacts())
        unsafe view.initialize(to: Stream(host: self, facts: factsMemory))
        connection.remoteIP = "192.0.2.7"
        connection.remoteAddress = "192.0.2.7:41000"
        unsafe factsMemory.pointee.start = clock.now
    }

    deinit {
        precondition(life != .open || !Self.hasLifetime, "a stream was dropped without close(_:)")
        unsafe view.deinitialize(count: 1).deallocate()
        unsafe factsMemory.deinitialize(count: 1).deallocate()
        unsafe responseTrailersMemory.deinitialize(count: 1).deallocate()
        unsafe requestTrailersMemory.deinitialize(count: 1).deallocate()
        unsafe responseMemory.deinitialize(count: 1).deallocate()
        unsafe requestMemory.deinitialize(count: 1).deallocate()
        unsafe slot.deallocate()
    }

    /// The request's head: change it before it is shown, look at it afterwards.
    public var request: RequestHead {
        _read { yield unsafe requestMemory.pointee }
        _modify { yield unsafe &requestMemory.pointee }
    }

    /// The response's head: change it before it is shown, look at it afterwards.
    public var response: ResponseHead {
        _read { yield unsafe responseMemory.pointee }
        _modify { yield unsafe &responseMemory.pointee }
    }

    /// What is known of the stream.
    public var facts: StreamFacts {
        _read { yield unsafe factsMemory.pointee }
        _modify { yield unsafe &factsMemory.pointee }
    }

    /// What has gone on to the filter below.
    public var below: Passed { down.passed }

    /// What has gone on to the filter above.
    public var above: Passed { up.passed }

    /// Whether the filter keeps something of the request back.
    public var holdsRequest: Bool { !down.held.isEmpty }

    /// Whether the filter keeps something of the response back.
    public var holdsResponse: Bool { !up.held.isEmpty }

    var filterMemory: UnsafeRawPointer { unsafe UnsafeRawPointer(Unmanaged.passUnretained(filter).toOpaque()) }

    /// Whether nothing more is shown: the filter answered, failed, or was closed.
    public var isOver: Bool { fault != nil || reply != nil || life == .closed }

    /// Whether the filter asks to be told of beginnings and ends.
    static var hasLifetime: Bool { F.interest.contains(.lifetime) }

    // MARK: Requests

    /// Shows the request's head.
    ///
    /// - Returns: what the filter said; nil where it was not asked.
    @discardableResult
    public func requestHead(last: Bool = false) -> Step? { arrive(.head(last: last), isRequest: true) }

    /// Shows a piece of the request's body.
    @discardableResult
    public func requestBody(_ text: String, last: Bool = false) -> Step? {
        arrive(.body(Array(text.utf8), last: last), isRequest: true)
    }

    /// Shows a piece of the request's body.
    @discardableResult
    public func requestBody(bytes: [UInt8], last: Bool = false) -> Step? {
        arrive(.body(bytes, last: last), isRequest: true)
    }

    /// Shows trailers, which end the request.
    @discardableResult
    public func requestTrailers(_ fields: KeyValuePairs<String, String>) -> Step? {
        unsafe requestTrailersMemory.pointee.fill(fields)
        return arrive(.trailers, isRequest: true)
    }

    // MARK: Responses

    /// Shows a head with status 1xx.
    public func interimHead(_ status: Status, _ fields: KeyValuePairs<String, String> = [:]) {
        unsafe responseMemory.pointee.reset()
        unsafe responseMemory.pointee.status = status
        unsafe responseMemory.pointee.headers.fill(fields)
        showInterim()
    }

    /// Shows the response's head.
    @discardableResult
    public func responseHead(
        _ status: Status = 200, _ fields: KeyValuePairs<String, String> = [:], last: Bool = false
    ) -> Step? {
        unsafe responseMemory.pointee.reset()
        unsafe responseMemory.pointee.status = status
        unsafe responseMemory.pointee.headers.fill(fields)
        let length = unsafe responseMemory.pointee.headers.withValue(.contentLength) { ASCII.number($0) } ?? nil
        unsafe responseMemory.pointee.bodyLength = last ? .none : length.map { .known($0) } ?? .unknown
        return arrive(.head(last: last), isRequest: false)
    }

    /// Shows a piece of the response's body.
    @discardableResult
    public func responseBody(_ text: String, last: Bool = false) -> Step? {
        arrive(.body(Array(text.utf8), last: last), isRequest: false)
    }

    /// Shows a piece of the response's body.
    @discardableResult
    public func responseBody(bytes: [UInt8], last: Bool = false) -> Step? {
        arrive(.body(bytes, last: last), isRequest: false)
    }

    /// Shows trailers, which end the response.
    @discardableResult
    public func responseTrailers(_ fields: KeyValuePairs<String, String>) -> Step? {
        unsafe responseTrailersMemory.pointee.fill(fields)
        return arrive(.trailers, isRequest: false)
    }

    // MARK: The rest

    /// A terminal has attached a cluster, and a route is known.
    ///
    /// - Returns: what the filter said; nil where it was not asked.
    @discardableResult
    public func clusterAttached(_ cluster: FactName, route: FactName? = nil) -> Step? {
        unsafe factsMemory.pointee.cluster = cluster
        unsafe factsMemory.pointee.route = route
        return showCluster()
    }

    /// An endpoint was picked.
    ///
    /// - Returns: whether the filter accepts it.
    @discardableResult
    public func endpointPicked(_ endpoint: FactName) -> Bool {
        unsafe factsMemory.pointee.endpoint = endpoint
        return showEndpoint()
    }

    /// Something below fails.
    ///
    /// - Returns: whether the filter took it in hand, by an answer or by sending the request anew.
    @discardableResult
    public func faultBelow(_ fault: Fault) -> Bool { showFault(fault) }

    /// Time goes by; the filter is woken if it asked for that and the time has come.
    public func advance(by duration: Duration) {
        clock.advance(by: duration)
        if let due = wakeDue, due <= clock.now { wake() }
    }

    /// Does what was asked for by tokens since the last time.
    public func settle() {
        repeat {
            for job in mailbox.takeJobs() { job() }
            for (key, outcome) in mailbox.take() { resumed(key, outcome) }
            if isNudged {
                isNudged = false
                wake()
            }
        } while isNudged || mailbox.hasPost
    }

    /// Ends the stream: the filter gives up its state. The last call of every test.
    public func close(_ ending: Ending = .complete) {
        openFetches = []
        if life == .open, Self.hasLifetime { unsafe F._close(filterMemory, slot, ending, &view.pointee) }
        life = .closed
    }
}
