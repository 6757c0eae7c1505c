internal import FilterAPI

/// Tries a byte filter with bytes in both directions.
struct ByteTrial<F: ByteEvents> {
    /// Bytes from the peer or from the inside of the chain; `last` where they end their direction.
    struct Event {
        var isFromPeer: Bool
        var text: String
        var last = false
    }

    private let bench: TrialBench<F>
    private let fetchWay: TrialBench<F>.FetchWay
    private var options: ConformanceOptions { bench.options }
    private var report: ConformanceReport { bench.report }

    init(_ bench: TrialBench<F>, _ fetchWay: TrialBench<F>.FetchWay = .answer) {
        self.bench = bench
        self.fetchWay = fetchWay
    }

    private static func peer(_ text: String, last: Bool = false) -> Event {
        Event(isFromPeer: true, text: text, last: last)
    }

    private static func inside(_ text: String, last: Bool = false) -> Event {
        Event(isFromPeer: false, text: text, last: last)
    }

    private static var scenarios: [(name: String, events: [Event])] {
        [
            ("both ways", [peer("hello"), inside("good"), peer(" world", last: true), inside(" day", last: true)]),
            (
                "the inside ends first",
                [peer("hello"), inside("bye", last: true), peer(" world"), peer("", last: true)]
            ),
            (
                "the peer ends first",
                [peer("hello", last: true), inside("good"), inside(" day"), inside("", last: true)]
            ),
            ("empty pieces", [peer(""), peer("hello"), peer(""), inside(""), inside("day"), peer("", last: true)]),
            ("ends at once", [peer("", last: true), inside("", last: true)]),
            ("ends at once, the inside first", [inside("", last: true), peer("", last: true)]),
            ("the inside speaks first", [inside("220 hello"), peer("quit", last: true), inside("", last: true)]),
        ]
    }

    func run() {
        let usual = Self.scenarios[0]
        let first = outcome(of: usual.events, on: bench.filter)
        for (name, events) in Self.scenarios {
            whole(name, events)
            for count in 0...events.count { cutOff(name, Array(events.prefix(count))) }
        }
        if bench.hasFetched {
            for (name, events) in Self.scenarios {
                ByteTrial(bench, .fail).whole(name, events)
                for count in 0...events.count { ByteTrial(bench, .leave).cutOff(name, Array(events.prefix(count))) }
            }
        }
        let bytes = options.opening + Array("hello world".utf8)
        report.compare(bytes, script: "bytes from the peer") { pieces in
            let stream = stream(on: bench.filter)
            for piece in pieces {
                stream.fromPeer(piece)
                letGo(stream)
            }
            let text = signature(stream)
            close(stream, "bytes from the peer")
            return text
        }
        for other in bench.others { same(first, outcome(of: usual.events, on: other), .workers, "on another worker") }
        same(first, outcome(of: usual.events, on: bench.filter), .balance, "after many streams, one")
        if let stranger = bench.stranger() {
            same(first, outcome(of: usual.events, on: stranger), .isolation, "in another process a stream")
        }
        bench.checkRelease()
        bench.checkStatistics()
    }

    private func same(_ one: String, _ other: String, _ check: ConformanceCheck, _ where: String) {
        if one != other { report.add(check, "\(`where`) goes otherwise:\n\(other)\ninstead of\n\(one)") }
    }

    private func stream(on filter: F) -> FakeByteStream<F> {
        let stream = FakeByteStream(filter, side: bench.side, clock: bench.clock) { facts in
            facts.listener = "conformance"
            facts.endpointHost = "a.test"
            options.prepare?(facts)
        }
        stream.keepsBrokenRules = true
        stream.open()
        letGo(stream)
        return stream
    }

    private func play(_ events: [Event], on stream: FakeByteStream<F>) {
        var opening = options.opening
        var fromInside: [Event] = []
        for event in events where !stream.isOver {
            if event.isFromPeer {
                stream.fromPeer(opening + Array(event.text.utf8), last: event.last)
                opening = []
                letGo(stream)
            } else {
                fromInside.append(event)
            }
            // Nothing is written before the filters are ready.
            while !stream.isInHandshake, !stream.isOver, !fromInside.isEmpty {
                let event = fromInside.removeFirst()
                stream.fromInside(Array(event.text.utf8), last: event.last)
                letGo(stream)
            }
        }
    }

    private func letGo(_ stream: FakeByteStream<F>) {
        bench.letGo(stream, fetchWay) { stream.holdsRequest || stream.holdsResponse }
    }

    private func whole(_ name: String, _ events: [Event]) {
        let stream = stream(on: bench.filter)
        play(events, on: stream)
        func say(_ check: ConformanceCheck, _ sentence: String) { report.add(check, sentence, script: name) }
        if stream.fault == nil {
            if stream.holdsRequest || stream.holdsResponse {
                say(.holding, "it holds, and neither time nor anything else lets go")
            } else if stream.isInHandshake {
                let hasEnded = events.contains { $0.isFromPeer && $0.last }
                if hasEnded { say(.handshake, "the peer has gone, and the handshake that was begun goes on") }
            } else {
                checkBytes(stream, name, events)
            }
            if F.self is any ByteTerminal.Type, stream.attached == nil, stream.toPeer.events == 0 {
                say(.terminal, "it neither answers nor attaches a cluster")
            }
        }
        close(stream, name)
    }

    private func checkBytes(_ stream: FakeByteStream<F>, _ name: String, _ events: [Event]) {
        for isFromPeer in [true, false] {
            let passed = isFromPeer ? stream.toInside : stream.toPeer
            let came = events.filter { $0.isFromPeer == isFromPeer }
            let word = isFromPeer ? "the peer" : "the inside"
            if came.contains(where: \.last), !passed.isComplete {
                report.add(.completeness, "the end that \(word) has sent does not go on", script: name)
            }
            let isRequest = isFromPeer == (bench.side == .client)
            guard !options.changes.contains(isRequest ? .requestBody : .responseBody) else { continue }
            let text = came.map(\.text).joined()
            if passed.text != text {
                report.add(
                    .bytes, "of what \(word) has sent `\(printable(passed.body))` goes on in place of `\(text)`",
                    script: name)
            }
        }
    }

    private func cutOff(_ name: String, _ events: [Event]) {
        for fault in [Fault(.clientGone, "client.reset"), Fault(.draining, "sluice.stopped")] {
            let stream = stream(on: bench.filter)
            play(events, on: stream)
            close(stream, name, .fault(fault))
        }
    }

    private func close(_ stream: FakeByteStream<F>, _ name: String, _ ending: Ending = .complete) {
        stream.settle()
        bench.check(stream, injected: [], script: name)
        weak let kept = F.State.self is AnyClass ? stream.state.map { $0 as AnyObject } : nil
        stream.close(stream.fault.map { .fault($0) } ?? ending)
        if kept != nil { report.add(.release, "somebody keeps the state of a stream that was closed", script: name) }
        stream.advance(by: .seconds(3600))
    }

    private func outcome(of events: [Event], on filter: F) -> String {
        let stream = stream(on: filter)
        play(events, on: stream)
        let text = signature(stream)
        close(stream, Self.scenarios[0].name)
        return text
    }

    private func signature(_ stream: FakeByteStream<F>) -> String {
        func text(_ passed: Passed, _ change: ConformanceOptions.Changes) -> String {
            (options.changes.contains(change) ? "?" : printable(passed.body)) + (passed.isComplete ? " end" : "")
        }
        return """
            below: \(text(stream.below, .requestBody))
            above: \(text(stream.above, .responseBody))
            fault: \(stream.fault.map { "\($0.reason)" } ?? ""), handshake: \(stream.isInHandshake)
            """
    }
}
