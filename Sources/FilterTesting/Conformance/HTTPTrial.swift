internal import FilterAPI

/// Tries an HTTP filter with every scenario.
struct HTTPTrial<F: HTTPEvents> {
    private let bench: TrialBench<F>
    private let fetchWay: TrialBench<F>.FetchWay
    private var options: ConformanceOptions { bench.options }
    private var report: ConformanceReport { bench.report }
    private var isTerminal: Bool { F.self is any HTTPTerminal.Type }

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
            for scenario in HTTPScenario.all where scenario.name != "large" { HTTPTrial(bench, .leave).cutOff(scenario) }
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

    private func stream(_ scenario: HTTPScenario, on filter: F) -> FakeStream<F> {
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
    private func play(_ scenario: HTTPScenario, on filter: F) -> HTTPOutcome {
        let stream = stream(scenario, on: filter)
        play(scenario.events, scenario, on: stream)
        let outcome = HTTPOutcome(stream)
        close(stream, scenario)
        return outcome
    }

    /// Plays events, as far as they can happen. Where the filter sends the request anew, its neighbours below begin anew too.
    private func play(_ events: [ScriptEvent], _ scenario: HTTPScenario, on stream: FakeStream<F>) {
        var index = 0
        var furthest = -1
        var tries = 0
        while index < events.count, !stream.isOver {
            let event = events[index]
            defer { index += 1 }
            if event.isOfRequest, index <= furthest { continue }
            furthest = max(furthest, index)
            guard mayHappen(event, stream) else { return }
            if case .faultBelow(let fault) = event {
                failBelow(fault, scenario, stream)
                continue
            }
            let restarts = stream.restarts.count
            _ = stream.play([withFields(event)])
            letGo(stream)
            guard stream.restarts.count > restarts else { continue }
            tries += 1
            if tries == 100 { return sayEndless("a response that it does not like", scenario) }
            index = (events.firstIndex(where: \.isOfTry) ?? 0) - 1
        }
    }

    private func sayEndless(_ cause: String, _ scenario: HTTPScenario) {
        report.add(
            .replays, "each time that there is \(cause) it sends the request anew, a hundred times",
            script: scenario.name)
    }

    /// Nothing comes from below where nothing is there.
    private func mayHappen(_ event: ScriptEvent, _ stream: FakeStream<F>) -> Bool {
        switch event {
        case .interimHead, .responseHead, .responseBytes, .responseTrailers, .faultBelow, .endpointPicked:
            (!isTerminal || stream.attached != nil) && !stream.isHeldAtCluster && !stream.isAbandoned
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
        if stream.reply == nil, stream.fault?.reason.description == fault.reason.description {
            stream.faultBecomesAnswer()
        }
    }

    private func letGo(_ stream: FakeStream<F>) {
        bench.letGo(stream, fetchWay) {
            stream.down.token != 0 || stream.up.token != 0 || stream.isHeldAtCluster || stream.isAbandoned
        }
    }

    private func close(_ stream: FakeStream<F>, _ scenario: HTTPScenario, ending: Ending? = nil) {
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

/// What is looked at in each scenario.
extension HTTPTrial {
    private func whole(_ scenario: HTTPScenario) {
        let outcome = play(scenario, on: bench.filter)
        func say(_ check: ConformanceCheck, _ sentence: String) { report.add(check, sentence, script: scenario.name) }
        if outcome.isAbandoned || outcome.holds && !outcome.isCut {
            return say(.holding, "it holds, and neither time nor anything else lets go")
        }
        checkBytes(outcome, scenario)
        checkFraming(outcome, scenario)
        if outcome.isCut { return }
        if isTerminal, !outcome.attached, scenario.endsRequest, !outcome.isDeclined {
            return say(.terminal, "it neither answers nor attaches a cluster")
        }
        if scenario.hasFault || isTerminal && !outcome.attached { return }
        if scenario.endsRequest != outcome.below.isComplete {
            say(.completeness, "the end of the request does not go on")
        }
        if scenario.endsResponse != outcome.above.isComplete {
            say(.completeness, "the end of the response does not go on")
        }
    }

    private func checkBytes(_ outcome: HTTPOutcome, _ scenario: HTTPScenario) {
        func compare(
            _ word: String, _ passed: Passed, _ came: [UInt8], _ changes: Bool, _ read: (([UInt8]) -> [UInt8]?)?
        ) {
            var bytes = passed.body
            if changes {
                guard let read, passed.isComplete else { return }
                guard let meant = read(bytes) else {
                    return report.add(.bytes, "the \(word)'s body cannot be read", script: scenario.name)
                }
                bytes = meant
            }
            let isRight = passed.isComplete && !outcome.isCut ? bytes == came : came.starts(with: bytes)
            guard !isRight else { return }
            let shown = bytes.count > 64 ? "\(bytes.count) bytes" : "`\(printable(bytes))`"
            let expected = came.count > 64 ? "\(came.count) bytes" : "`\(printable(came))`"
            report.add(.bytes, "of the \(word)'s body \(shown) go on in place of \(expected)", script: scenario.name)
        }
        compare(
            "request", outcome.below, scenario.requestBody, options.changes.contains(.requestBody), options.readRequest)
        // After a fault it is the host's answer that goes by.
        if scenario.hasFault { return }
        compare(
            "response", outcome.above, scenario.responseBody, options.changes.contains(.responseBody),
            options.readResponse)
    }

    private func checkFraming(_ outcome: HTTPOutcome, _ scenario: HTTPScenario) {
        func look(_ word: String, _ passed: Passed) {
            guard passed.isComplete, let length = passed.values("content-length").first.flatMap({ Int($0) }),
                length != passed.body.count
            else { return }
            report.add(
                .framing, "`Content-Length` of the \(word) says \(length), and \(passed.body.count) bytes go on",
                script: scenario.name)
        }
        if !outcome.isCut { look("request", outcome.below) }
        if !scenario.responseHasNoBody { look("response", outcome.above) }
    }

    /// Cuts the stream off after each event, in each way.
    private func cutOff(_ scenario: HTTPScenario) {
        let usual = play(scenario, on: bench.filter).signature(options)
        let gone = Fault(.clientGone, "client.reset")
        for count in 0...scenario.events.count {
            let events = Array(scenario.events.prefix(count))
            for ending in [Ending.fault(gone), .fault(Fault(.draining, "sluice.stopped"))] {
                let stream = stream(scenario, on: bench.filter)
                play(events, scenario, on: stream)
                close(stream, scenario, ending: ending)
            }
            let stream = stream(scenario, on: bench.filter)
            play(events, scenario, on: stream)
            guard !stream.above.hasHead, stream.reply == nil, stream.fault == nil else {
                close(stream, scenario)
                continue
            }
            stream.replayFromAbove()
            play(scenario.events, scenario, on: stream)
            let replayed = HTTPOutcome(stream).signature(options)
            close(stream, scenario)
            if replayed != usual {
                report.add(
                    .replayFromAbove,
                    "replayed from above after \(count) events, the stream goes otherwise:\n\(replayed)\ninstead of\n\(usual)",
                    script: scenario.name)
            }
        }
    }

    /// Cuts the bodies in all ways.
    private func split(_ scenario: HTTPScenario) {
        for isRequest in [true, false] {
            let bytes = isRequest ? scenario.requestBody : scenario.responseBody
            guard bytes.count > 1, bytes.count < 1000 else { continue }
            report.compare(bytes, script: scenario.name) { pieces in
                var cut = scenario
                cut.events = scenario.cut(into: pieces, isRequest: isRequest)
                return play(cut, on: bench.filter).signature(options)
            }
        }
    }
}

extension HTTPScenario {
    /// The events with one of the bodies in other pieces, where its first piece was.
    func cut(into pieces: [[UInt8]], isRequest: Bool) -> [ScriptEvent] {
        func isPiece(_ event: ScriptEvent) -> Bool {
            switch event {
            case .requestBytes: isRequest
            case .responseBytes: !isRequest
            default: false
            }
        }
        guard let last = events.last(where: isPiece) else { return events }
        var ends = false
        switch last {
        case .requestBytes(_, let isLast), .responseBytes(_, let isLast): ends = isLast
        default: break
        }
        let place = (ends ? events.lastIndex(where: isPiece) : events.firstIndex(where: isPiece)) ?? 0
        var cut: [ScriptEvent] = []
        for (index, event) in events.enumerated() {
            if !isPiece(event) { cut.append(event) }
            guard index == place else { continue }
            for (number, piece) in pieces.enumerated() {
                let isLast = ends && number == pieces.count - 1
                cut.append(isRequest ? .requestBytes(piece, last: isLast) : .responseBytes(piece, last: isLast))
            }
        }
        return cut
    }
}

extension ScriptEvent {
    fileprivate var isOfRequest: Bool {
        switch self {
        case .requestHead, .requestBytes, .requestTrailers: true
        default: false
        }
    }

    /// Whether it belongs to one try of a request.
    fileprivate var isOfTry: Bool {
        switch self {
        case .clusterAttached, .endpointPicked, .interimHead, .responseHead, .responseBytes, .responseTrailers: true
        default: false
        }
    }
}
