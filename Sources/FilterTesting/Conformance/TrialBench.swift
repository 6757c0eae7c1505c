internal import FilterAPI

/// A filter that is tried, with its worker and what it may do.
final class TrialBench<F: Filter> {
    let options: ConformanceOptions
    let report: ConformanceReport
    let side: Side
    /// One for all streams, so that time goes only forward.
    let clock = ManualClock()
    private(set) var worker: FakeWorker
    private(set) var filter: F
    /// The filters of the other workers of the same process.
    let others: [F]

    /// Makes the filter; nil where that does not go.
    init?(_ type: F.Type, _ options: ConformanceOptions, _ report: ConformanceReport, side: Side = .client) {
        self.options = options
        self.report = report
        self.side = side
        Self.checkSettings(report)
        worker = FakeWorker()
        worker.side = side
        do throws(ConfigurationFault) {
            filter = try worker.make(F.self, config: options.config)
        } catch {
            report.add(.settings, "it cannot be made from `\(options.config)`: \(error.message)")
            return nil
        }
        var others: [F] = []
        for index in 1..<3 {
            worker.index = index
            do throws(ConfigurationFault) {
                others.append(try worker.make(F.self, config: options.config))
            } catch {
                report.add(.workers, "it cannot be made for a second worker: \(error.message)")
            }
        }
        worker.index = 0
        self.others = others
    }

    /// A filter of another process.
    func stranger() -> F? {
        let worker = FakeWorker()
        worker.side = side
        return try? worker.make(F.self, config: options.config)
    }

    private static func checkSettings(_ report: ConformanceReport) {
        let worker = FakeWorker()
        let strange = "no_filter_has_this_key"
        if case .success = Self.made(worker, "{ \(strange): 1 }") {
            report.add(.settings, "a key that it does not have is not refused")
        }
        if case .failure(let fault) = Self.made(worker, "{}") {
            if !isMessage(fault.message) {
                report.add(
                    .settings, "`\(fault.message)` is not in lower case and without a full stop, as messages are")
            }
        }
        if (try? worker.decode(F.RouteSettings.self, config: "{ \(strange): 1 }")) != nil {
            report.add(.settings, "a key that its settings of routes do not have is not refused")
        }
    }

    /// In lower case, but for what is written in capitals anyhow, such as TLS; and without a full stop.
    private static func isMessage(_ text: String) -> Bool {
        let capitals = text.prefix(2).filter { ("A"..."Z").contains($0) }.count
        return !text.isEmpty && !text.hasSuffix(".") && (capitals == 2 || !("A"..."Z").contains(text.prefix(1)))
    }

    private static func made(_ worker: FakeWorker, _ config: String) -> Result<F, ConfigurationFault> {
        do throws(ConfigurationFault) { return .success(try worker.make(F.self, config: config)) } catch {
            return .failure(error)
        }
    }

    // MARK: What holds for each stream

    /// Whether the filter has sent a request of its own so far.
    private(set) var hasFetched = false

    /// What becomes of the filter's own requests.
    enum FetchWay { case answer, fail, leave }

    /// Lets time go by, and the world decide, until the filter does not wait any more.
    func letGo<E: EventFilter>(_ stream: StreamUnderTest<E>, _ way: FetchWay, while waits: () -> Bool) {
        for _ in 0..<64 {
            stream.settle()
            guard !stream.isOver, waits() || stream.awaitsFetch, !(way == .leave && stream.awaitsFetch) else { return }
            options.letGo?()
            stream.settle()
            if stream.awaitsFetch {
                hasFetched = true
                let answer = options.fetchAnswer
                if way == .fail { stream.failFetch() }
                if way == .answer { stream.answerFetch(answer.status, answer.fields, bytes: Array(answer.body.utf8)) }
            } else if let due = stream.wakeDue {
                stream.advance(by: due.since(stream.clock.now))
            }
        }
    }

    /// Notes broken rules, and reasons that nobody can look up.
    func check<E: EventFilter>(_ stream: StreamUnderTest<E>, injected: Set<String>, script: String) {
        for rule in stream.brokenRules { report.add(.rules, rule.sentence, script: script) }
        var reasons: [String] = []
        if let fault = stream.fault { reasons.append("\(fault.reason)") }
        reasons.append("\(stream.facts.reason)")
        // That of a request of its own that has failed is not the filter's either.
        let injected = injected.union(["upstream.response_timeout"])
        let described = Set(F.manifest.reasons.map(\.reason))
        for reason in reasons where !Self.isOfHost(reason) {
            guard !described.contains(reason), !injected.contains(reason) else { continue }
            report.add(.reasons, "the reason `\(reason)` is not in the manifest", script: script)
        }
    }

    /// Whether a reason is the contract's own, which the manual has.
    private static func isOfHost(_ reason: String) -> Bool {
        reason.isEmpty || ["filter.", "async.", "fetch."].contains { reason.hasPrefix($0) }
    }

    /// The statistics that were asked for are those that are described.
    func checkStatistics() {
        let described = F.manifest.stats
        let asked = worker.askedStats
        for (name, kind) in asked.sorted(by: { $0.key < $1.key }) {
            guard let one = described.first(where: { $0.name == name }) else {
                report.add(.statistics, "it asks for the \(kind) `\(name)`, which is not in the manifest")
                continue
            }
            if one.kind != kind {
                report.add(.statistics, "`\(name)` is described as a \(one.kind) and asked for as a \(kind)")
            }
        }
        for one in described where asked[one.name] == nil && !options.otherStats.contains(one.name) {
            report.add(.statistics, "the \(one.kind) `\(one.name)` is described, and never asked for")
        }
    }

    /// Whether the filter, given away here, is freed.
    func checkRelease() {
        guard let stranger = stranger() else { return }
        weak let memory = stranger
        _ = consume stranger
        if memory != nil {
            report.add(.release, "somebody keeps the filter alive when its chain is gone")
        }
    }
}
