internal import FilterAPI

/// Tries an HTTP filter with every scenario.
struct HTTPTrial<F: HTTPEvents> {
    let bench: TrialBench<F>
    private let fetchWay: TrialBench<F>.FetchWay
    var options: ConformanceOptions { bench.options }
    var report: ConformanceReport { bench.report }
    var isTerminal: Bool { F.self is any HTTPTerminal.Type }

    init(_ bench: TrialBench<F>, _ fetchWay: TrialBench<F>.FetchWay = .answer) {
        self.bench = bench
        self.fetchWay = fetchWay
    }

    func run() {
        if !bench.filter.activeInterest.isSubset(of: F.interest) {
            report.add(.interest, "its active interest has events that its interest does not have")
        }
        let first = play(.plain, on: bench.filter)
        for scenario in HTTPScenario.all { whole(scenario) }
        for scenario in HTTPScenario.all where scenario.name != "large" { cutOff(scenario) }
        for scenario in HTTPScenario.all where !scenario.hasFault { split(scenario) }
        if bench.hasFetched {
            for scenario in HTTPScenario.all { HTTPTrial(bench, .fail).whole(scenario) }
            for scenario in HTTPScenario.all where scenario.name != "large" {
                HTTPTrial(bench, .leave).cutOff(scenario)
            }
        }
        for other in bench.others {
            same(first, play(.plain, on: other), .workers, "on another worker it goes otherwise")
        }
        same(first, play(.plain, on: bench.filter), .balance, "after many streams, one goes otherwise than the first")
        if let stranger = bench.stranger() {
            same(first, play(.plain, on: stranger), .isolation, "in another process it goes otherwise")
        }
        bench.checkRelease()
        bench.checkStatistics()
    }

    private func same(_ one: HTTPOutcome, _ other: HTTPOutcome, _ check: ConformanceCheck, _ sentence: String) {
        let (left, right) = (one.signature(options), other.signature(options))
        if left != right { report.add(check, "\(sentence):\n\(right)\ninstead of\n\(left)", script: "plain") }
    }

    // MARK: Streams

    func stream(_ scenario: HTTPScenario, on filter: F) -> FakeStream<F> {
        var head = RequestHead.fake(scenario.method, "/path?q=1")
        head.headers.fill(scenario.fields)
        head.headers.fill(options.requestFields.map { ($0.name, $0.value) })
        if scenario.name == "upgrade" { head.wantsUpgrade = true }
        let stream = FakeStream(filter, head, clock: bench.clock)
        stream.keepsBrokenRules = true
        stream.connection.listener = "conformance"
        options.prepare?(stream.connection)
        return stream
    }

    /// Plays a whole scenario and closes the stream.
    func play(_ scenario: HTTPScenario, on filter: F) -> HTTPOutcome {
        let stream = stream(scenario, on: filter)
        let isWhole = play(scenario.events, scenario, on: stream)
        var outcome = HTTPOutcome(stream)
        outcome.isWhole = isWhole
        close(stream, scenario)
        return outcome
    }

    /// Plays events, as far as they can happen. What comes from below waits until the request has gone there; where the
    /// filter sends it anew, its neighbours below begin anew too.
    ///
    /// - Returns: whether all have happened.
    @discardableResult
    func play(_ events: [ScriptEvent], _ scenario: HTTPScenario, on stream: FakeStream<F>) -> Bool {
        var pending = events
        var tries = 0
        while !stream.isOver {
            guard let index = next(of: pending, stream) else { return pending.isEmpty }
            let event = pending.remove(at: index)
            if case .faultBelow(let fault) = event {
                failBelow(fault, scenario, stream)
                continue
            }
            let restarts = stream.restarts.count
            _ = stream.play([withFields(event)])
            letGo(stream)
            guard stream.restarts.count > restarts else { continue }
            tries += 1
            if tries == 100 {
                sayEndless("a response that it does not like", scenario)
                return false
            }
            pending = events.filter(\.isOfWay) + pending.filter { !$0.isOfTry } + events.filter(\.isOfAnswer)
        }
        return false
    }

    /// The first event, or where that has to wait the first one of the request.
    private func next(of pending: [ScriptEvent], _ stream: FakeStream<F>) -> Int? {
        guard let first = pending.first else { return nil }
        if mayHappen(first, stream) { return 0 }
        return pending.firstIndex { !$0.isOfTry && mayHappen($0, stream) }
    }

    private func sayEndless(_ cause: String, _ scenario: HTTPScenario) {
        report.add(
            .replays, "each time that there is \(cause) it sends the request anew, a hundred times",
            script: scenario.name)
    }

    /// Nothing comes from below where nothing of the request has gone.
    private func mayHappen(_ event: ScriptEvent, _ stream: FakeStream<F>) -> Bool {
        switch event {
        case .clusterAttached: stream.below.hasHead && (!isTerminal || stream.attached != nil)
        case .faultBelow, .endpointPicked, .interimHead, .responseHead, .responseBytes, .responseTrailers:
            stream.below.hasHead && (!isTerminal || stream.attached != nil) && !stream.isHeldAtCluster
                && !stream.isAbandoned
        default: true
        }
    }

    private func withFields(_ event: ScriptEvent) -> ScriptEvent {
        guard case .responseHead(let status, let fields, let last) = event, status >= 200 else { return event }
        return .responseHead(status, fields + options.responseFields, last: last)
    }

    /// The upstream fails, and so does each further one that is tried; at last there is an answer from the host.
    private func failBelow(_ fault: Fault, _ scenario: HTTPScenario, _ stream: FakeStream<F>) {
        if stream.above.hasHead { return }
        for _ in 0..<100 {
            stream.faultBelow(fault)
            letGo(stream)
            if stream.isOver { break }
            _ = stream.play([.clusterAttached("app", route: "main"), .endpointPicked("192.0.2.1:80")])
            letGo(stream)
        }
        if !stream.isOver {
            return sayEndless("a fault below", scenario)
        }
        stream.faultBecomesAnswer()
    }

    /// Lets time go by, and the world decide.
    private func letGo(_ stream: FakeStream<F>) {
        bench.letGo(stream, fetchWay) {
            stream.down.token != 0 || stream.up.token != 0 || stream.isHeldAtCluster || stream.isAbandoned
        }
    }

    func close(_ stream: FakeStream<F>, _ scenario: HTTPScenario, ending: Ending? = nil) {
        stream.settle()
        bench.check(stream, injected: scenario.injected, script: scenario.name)
        var usual = Ending.complete
        if let fault = stream.fault { usual = .fault(fault) }
        if scenario.hasFault, stream.above.hasHead, !stream.above.isComplete {
            usual = .fault(Fault(.upstreamReset, "upstream.reset"))
        }
        weak let kept = keptObject(of: stream)
        stream.close(ending ?? usual)
        if kept != nil {
            report.add(.release, "somebody keeps the state of a stream that was closed", script: scenario.name)
        }
        let rules = stream.brokenRules.count
        stream.advance(by: .seconds(3600))
        stream.settle()
        if stream.brokenRules.count > rules { report.add(.rules, "it does something after it was closed") }
    }

    private func keptObject(of stream: FakeStream<F>) -> AnyObject? {
        guard F.State.self is AnyClass, let state = stream.state else { return nil }
        return state as AnyObject
    }
}

extension ScriptEvent {
    /// How a request comes to an endpoint.
    fileprivate var isOfWay: Bool {
        switch self {
        case .clusterAttached, .endpointPicked: true
        default: false
        }
    }

    fileprivate var isOfAnswer: Bool {
        switch self {
        case .interimHead, .responseHead, .responseBytes, .responseTrailers: true
        default: false
        }
    }

    /// Whether it belongs to one try of a request.
    fileprivate var isOfTry: Bool { isOfWay || isOfAnswer }
}
