public import FilterAPI

/// Several filters of HTTP one below the other, with the same rules as ``FakeStream``: what one lets go on comes to the
/// next, answers and faults go up, and a replay closes and opens what is below.
///
/// ```swift
/// let chain = FakeChain(try worker.make(Gzip.self), try worker.make(MyFilter.self))
/// chain.requestHead(last: true)
/// chain.responseHead(200, ["content-type": "text/plain"])
/// ```
///
/// The first is the highest. For how one filter works with its neighbours; what a whole listener does with a request
/// is seen in the program.
@safe
public final class FakeChain {
    private let stages: [any FakeNeighbour]
    private let memory: FakeMemory
    private let views: [Stage]

    /// What a chain looks at in one of its streams, whatever the filter.
    private struct Stage {
        var above: () -> Passed
        var below: () -> Passed
        var reply: () -> RecordedReply?
        var fault: () -> Fault?
        var attached: () -> RecordedAttachment?
        var brokenRules: () -> [BrokenRule]
        var showCluster: () -> Step?
        var showEndpoint: () -> Bool
    }

    /// A stream through filters, the highest first.
    public init<each F: HTTPEvents>(_ filters: repeat each F, request: consuming RequestHead = .fake()) {
        let memory = FakeMemory(request)
        var stages: [any FakeNeighbour] = []
        var views: [Stage] = []
        var link: (any FakeNeighbour) -> Void = { _ in }
        for filter in repeat each filters {
            let stream = FakeStream(filter, memory: memory)
            stream.upper = stages.last
            link(stream)
            link = { stream.lower = $0 }
            stages.append(stream)
            views.append(Self.stage(stream))
        }
        precondition(!stages.isEmpty, "a chain has at least one filter")
        self.memory = memory
        self.stages = stages
        self.views = views
    }

    private static func stage<F: HTTPEvents>(_ stream: FakeStream<F>) -> Stage {
        Stage(
            above: { stream.above }, below: { stream.below }, reply: { stream.reply }, fault: { stream.fault },
            attached: { stream.attached }, brokenRules: { stream.brokenRules },
            showCluster: { stream.showCluster() }, showEndpoint: { stream.showEndpoint() })
    }

    // MARK: What came of it

    /// What has gone on above the highest filter, to the client. An answer of the highest filter itself is ``reply``.
    public var above: Passed { views.first?.above() ?? Passed() }
    /// What has gone on below the lowest filter, to the upstream.
    public var below: Passed { views.last?.below() ?? Passed() }
    /// What the client is answered with by one of the filters: status and text as the highest filter left them.
    public var reply: RecordedReply? {
        guard let highest = views.first else { return nil }
        if let reply = highest.reply() { return reply }
        guard views.contains(where: { $0.reply() != nil }), highest.above().hasHead else { return nil }
        let passed = highest.above()
        return RecordedReply(status: passed.status, body: passed.text, fields: passed.fields)
    }
    /// The fault that nobody took in hand.
    public var fault: Fault? { views.first?.fault() }
    /// The cluster that was attached last.
    public var attached: RecordedAttachment? { views.last { $0.attached() != nil }?.attached() }
    /// The rules that filters have broken, those of the highest first.
    public var brokenRules: [BrokenRule] { views.flatMap { $0.brokenRules() } }
    /// What is known of the stream.
    public var facts: StreamFacts {
        _read { yield unsafe memory.facts.pointee }
        _modify { yield unsafe &memory.facts.pointee }
    }
    /// The request's head: change it before it is shown.
    public var request: RequestHead {
        _read { yield unsafe memory.request.pointee }
        _modify { yield unsafe &memory.request.pointee }
    }
    /// What filters are told of the client.
    public var connection: ConnectionFacts { memory.connection }
    /// What has gone past one of the filters, towards the client; by its place from the top, from 0.
    public func above(_ place: Int) -> Passed { views[place].above() }
    /// What has gone past one of the filters, towards the upstream.
    public func below(_ place: Int) -> Passed { views[place].below() }

    // MARK: Events

    /// The client sends the request's head.
    public func requestHead(last: Bool = false) { show(.head(last: last), isRequest: true) }

    /// The client sends a piece of the request's body.
    public func requestBody(_ text: String, last: Bool = false) {
        show(.body(Array(text.utf8), last: last), isRequest: true)
    }

    /// The upstream sends the response's head.
    public func responseHead(
        _ status: Status = 200, _ fields: KeyValuePairs<String, String> = [:], last: Bool = false
    ) {
        memory.setResponse(status, fields.map { ($0.key, $0.value) }, last: last)
        show(.head(last: last), isRequest: false)
    }

    /// The upstream sends a piece of the response's body.
    public func responseBody(_ text: String, last: Bool = false) {
        show(.body(Array(text.utf8), last: last), isRequest: false)
    }

    /// The upstream sends a piece of the response's body.
    public func responseBody(bytes: [UInt8], last: Bool = false) {
        show(.body(bytes, last: last), isRequest: false)
    }

    /// A terminal has attached a cluster: all filters are told, the highest first, until one holds.
    ///
    /// - Returns: whether none holds.
    @discardableResult
    public func clusterAttached(_ cluster: FactName, route: FactName? = nil) -> Bool {
        unsafe memory.facts.pointee.cluster = cluster
        unsafe memory.facts.pointee.route = route
        return views.allSatisfy { $0.showCluster() != .hold }
    }

    /// An endpoint was picked.
    ///
    /// - Returns: whether all filters accept it.
    @discardableResult
    public func endpointPicked(_ endpoint: FactName) -> Bool {
        unsafe memory.facts.pointee.endpoint = endpoint
        return views.allSatisfy { $0.showEndpoint() }
    }

    /// What is below the lowest filter fails.
    public func faultBelow(_ fault: Fault) {
        settle()
        _ = stages.last?.showFault(fault)
    }

    /// A fault that no filter took in hand becomes an answer: those above the one that failed see it.
    public func faultBecomesAnswer(_ status: Status = 503) {
        let places = stages.indices.filter { stages[$0].forgetFault() }
        if let lowest = places.last { stages[lowest].showHostsAnswer(status, memory) }
    }

    /// Time goes by.
    public func advance(by duration: Duration) {
        memory.clock.advance(by: duration)
        settle()
    }

    /// Does what was asked for by tokens, and by time that has gone by.
    public func settle() { for stage in stages { stage.look() } }

    /// Ends the stream, the lowest filter first. The last call of every test.
    public func close(_ ending: Ending = .complete) { for stage in stages.reversed() { stage.close(ending) } }

    private func show(_ event: FakeEvent, isRequest: Bool) {
        settle()
        (isRequest ? stages.first : stages.last)?.comesBy(event, isRequest: isRequest)
    }
}
