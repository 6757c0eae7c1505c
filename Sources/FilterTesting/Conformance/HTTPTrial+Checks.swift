internal import FilterAPI

/// What is looked at in each scenario.
extension HTTPTrial {
    func whole(_ scenario: HTTPScenario) {
        let outcome = play(scenario, on: bench.filter)
        func say(_ check: ConformanceCheck, _ sentence: String) { report.add(check, sentence, script: scenario.name) }
        let holds =
            outcome.holdsRequest && scenario.endsRequest
            || outcome.holdsResponse && scenario.endsResponse && outcome.isWhole
        if outcome.isAbandoned || holds && !outcome.isCut {
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
        if outcome.isWhole, scenario.endsResponse != outcome.above.isComplete {
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
    func cutOff(_ scenario: HTTPScenario) {
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
    func split(_ scenario: HTTPScenario) {
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
