public import FilterAPI

/// A stream around one HTTP filter or terminal: shows it events, does what it asks for, and keeps what goes on.
///
/// ```swift
/// let worker = FakeWorker()
/// let stream = FakeStream(try worker.make(KeyFilter.self) { $0.key = "secret" })
/// stream.requestHead(last: true)
/// #expect(stream.reply?.status == 401)
/// ```
///
/// The rules are those of the host: nothing that a filter asks for happens before it has returned, what is held goes
/// on in order, tokens are used from any thread and take effect at ``StreamUnderTest/settle()``, and time moves by
/// ``StreamUnderTest/advance(by:)`` only. What breaks a rule is in ``StreamUnderTest/brokenRules``.
@safe
public final class FakeStream<F: HTTPEvents>: StreamUnderTest<F> {
    /// The answer that the filter gave itself; nil where it gave none.
    public internal(set) var reply: RecordedReply?
    /// Requests that were sent anew.
    public internal(set) var restarts: [RecordedRestart] = []
    /// Whether the filter has given up what is below it, and not yet sent the request anew.
    public internal(set) var isAbandoned = false
    /// How often it has done so.
    public internal(set) var abandonCount = 0
    /// Whether the limits of the cluster leave room for further tries.
    public var hasRoomForReplay = true
    /// Whether the filter holds the request before the cluster that was attached.
    public var isHeldAtCluster: Bool { clusterToken != 0 }

    var sent: [(isRequest: Bool, bytes: [UInt8], ends: Bool)] = []
    /// How many answers the call has given so far.
    var hasReplied = false
    /// The fault is one of below, not the filter's own.
    var isFaultFromBelow = false
    /// The call has sent the request anew.
    var pendingRestart = false
    /// The request's head as it came to the filter: who sends it anew from above has kept it, and not what the filter
    /// made of it.
    var shownRequest: RequestHead?
    /// The filters above and below in a chain; the chain keeps them.
    weak var upper: (any FakeNeighbour)?
    weak var lower: (any FakeNeighbour)?

    /// A stream that has not begun.
    ///
    /// - Parameters:
    ///   - filter: the filter; several streams may be around one.
    ///   - request: the request; `GET / ` of `a.test` if not said.
    ///   - clock: the clock; streams of one filter that has a memory for times have one together.
    public convenience init(
        _ filter: F, _ request: consuming RequestHead = .fake(), clock: ManualClock = ManualClock()
    ) {
        self.init(filter, memory: FakeMemory(request, clock: clock))
    }

    override init(_ filter: F, memory: FakeMemory) {
        super.init(filter, memory: memory)
        unsafe view.initialize(to: Stream(host: self, facts: memory.facts))
    }

    /// The request's head: change it before it is shown, look at it afterwards.
    public var request: RequestHead {
        _read { yield unsafe memory.request.pointee }
        _modify { yield unsafe &memory.request.pointee }
    }

    /// The response's head: change it before it is shown, look at it afterwards.
    public var response: ResponseHead {
        _read { yield unsafe memory.response.pointee }
        _modify { yield unsafe &memory.response.pointee }
    }

    /// What has gone on to the filter below.
    public var below: Passed { down.passed }

    /// What has gone on to the filter above.
    public var above: Passed { up.passed }

    /// Whether the filter keeps something of the request back.
    public var holdsRequest: Bool { !down.held.isEmpty }

    /// Whether the filter keeps something of the response back.
    public var holdsResponse: Bool { !up.held.isEmpty }

    /// Whether nothing more is shown: the filter answered, failed, or was closed.
    public override var isOver: Bool { super.isOver || reply != nil }

    override func failed(_ fault: Fault) { give(up: fault) }
    override func doWhatWasAsked() -> Bool { settleCall() }
    override func resumed(_ key: ResumptionKey, _ outcome: ResumptionOutcome) { tokenUsed(key, outcome) }

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
        memory.setTrailers(fields.map { ($0.key, $0.value) }, isRequest: true)
        return arrive(.trailers, isRequest: true)
    }

    // MARK: Responses

    /// Shows a head with status 1xx.
    public func interimHead(_ status: Status, _ fields: KeyValuePairs<String, String> = [:]) {
        memory.setResponse(status, fields.map { ($0.key, $0.value) }, last: false)
        showInterim()
    }

    /// Shows the response's head.
    @discardableResult
    public func responseHead(
        _ status: Status = 200, _ fields: KeyValuePairs<String, String> = [:], last: Bool = false
    ) -> Step? {
        memory.setResponse(status, fields.map { ($0.key, $0.value) }, last: last)
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
        memory.setTrailers(fields.map { ($0.key, $0.value) }, isRequest: false)
        return arrive(.trailers, isRequest: false)
    }

    // MARK: The rest

    /// A terminal has attached a cluster, and a route is known.
    ///
    /// - Returns: what the filter said; nil where it was not asked.
    @discardableResult
    public func clusterAttached(_ cluster: FactName, route: FactName? = nil) -> Step? {
        unsafe memory.facts.pointee.cluster = cluster
        unsafe memory.facts.pointee.route = route
        return showCluster()
    }

    /// An endpoint was picked.
    ///
    /// - Returns: whether the filter accepts it.
    @discardableResult
    public func endpointPicked(_ endpoint: FactName) -> Bool {
        unsafe memory.facts.pointee.endpoint = endpoint
        return showEndpoint()
    }

    /// Something below fails.
    ///
    /// - Returns: whether the filter took it in hand, by an answer or by sending the request anew.
    @discardableResult
    public func faultBelow(_ fault: Fault) -> Bool { showFault(fault) }

    /// A fault below that the filter has not taken in hand becomes an answer, which the filter sees like any other.
    public func faultBecomesAnswer(_ status: Status = 503) {
        if forgetFault() { showHostsAnswer(status, memory) }
    }

    /// The stream is closed for a replay from above, and opens again at the next event, as if nothing had been shown.
    public func replayFromAbove() {
        reopen()
        if let head = shownRequest.take() { unsafe memory.request.pointee.assign(from: head) }
    }
}
