internal import Config
internal import Engine
internal import FilterAPI

/// A cluster's outlier detection on the control thread: what the workers have seen goes into the detector, and what it
/// says is done, logged and counted.
///
/// Stays over reloads, so that what is put aside stays so.
final class OutlierWatch: OutlierInbox.Receiver {
    private let cluster: String
    private let workers: Int
    private let loop: EventLoop
    private let log: Log
    private let counters: OutlierCounters
    private let inbox: OutlierInbox
    private var settings: OutlierSettings
    private var detector: OutlierDetector
    private var records: [SocketAddress: EndpointRecord] = [:]
    /// What the records said at the last interval.
    private var before: [SocketAddress: OutcomeCounts] = [:]
    /// Endpoints that have reached a threshold in this interval, and stay. Their failures in a row are counted anew from
    /// the next one on, so that they are found again, and not with every request.
    private var kept: [SocketAddress: Set<OutlierKind>] = [:]
    private weak var set: EndpointSet?
    private lazy var intervalTimer = CallbackTimer { [unowned self] in self.intervalIsOver() }
    private lazy var releaseTimer = CallbackTimer { [unowned self] in self.timeIsOver() }

    /// - Parameter workers: how many will use the records.
    init(
        cluster: String, _ settings: OutlierSettings, minServing: Percent, workers: Int, loop: EventLoop, log: Log,
        registry: StatRegistry
    ) {
        self.cluster = cluster
        self.workers = workers
        self.loop = loop
        self.log = log
        self.settings = settings
        counters = OutlierCounters(registry, cluster: cluster)
        inbox = OutlierInbox(loop.poster)
        var generator = SystemRandomNumberGenerator()
        detector = OutlierDetector(settings, minServing: minServing, seed: generator.next())
        unsafe inbox.receiver = self
    }

    // MARK: The cluster

    /// The record of an address, the same one each time while it is known.
    func record(of address: SocketAddress) -> EndpointRecord {
        if let known = records[address] { return known }
        let record = EndpointRecord(address, workers: workers, inbox: inbox)
        record.change(settings)
        records[address] = record
        return record
    }

    /// Takes other settings.
    func change(_ settings: OutlierSettings, minServing: Percent) {
        detector.change(settings, minServing: minServing)
        guard settings != self.settings else { return }
        self.settings = settings
        for record in records.values { record.change(settings) }
        kept = [:]
    }

    /// Looks after these endpoints from now on; what was put aside before is so among them too.
    func follow(_ set: EndpointSet) {
        self.set?.remove(observer: self)
        self.set = set
        set.add(observer: self) { [unowned self] in self.takeList() }
        takeList()
        loop.schedule(intervalTimer, after: settings.interval.wholeNanoseconds)
    }

    /// Ends: nothing is put aside any more.
    func stop() {
        loop.cancel(intervalTimer)
        loop.cancel(releaseTimer)
        set?.remove(observer: self)
        set = nil
        records = [:]
        counters.set(active: 0)
    }

    // MARK: What happens

    /// A worker has seen an endpoint fail too often in a row.
    func reached(_ kind: OutlierKind, by address: SocketAddress) {
        // With good answers in between, one that stays may reach the threshold again and again: once is enough.
        guard set != nil, !(kept[address]?.contains(kind) ?? false) else { return }
        takeList()
        guard let verdict = detector.reached(kind, by: address, at: loop.now) else { return }
        apply([verdict])
        if case .eject = verdict { return }
        kept[address, default: []].insert(kind)
    }

    /// An active health check has found an endpoint well.
    func checkSucceeded(at address: SocketAddress) {
        if let verdict = detector.checkSucceeded(address, at: loop.now) { apply([verdict]) }
    }

    private func takeList() {
        guard let set else { return }
        let endpoints = set.known.entries.map { ($0.address, set.status(of: $0.address).failedCheck) }
        let verdicts = detector.list(endpoints, at: loop.now)
        set.changeTogether {
            // One that has gone and come back is new to the set.
            for address in detector.ejected { set.change(address, at: loop.now) { $0.isEjected = true } }
            apply(verdicts)
        }
    }

    private func intervalIsOver() {
        loop.schedule(intervalTimer, after: settings.interval.wholeNanoseconds)
        for (address, kinds) in kept { for kind in kinds { records[address]?.forgetStreak(of: kind) } }
        kept = [:]
        takeList()
        let now = records.mapValues(\.counts)
        var since: [SocketAddress: OutcomeCounts] = [:]
        for (address, counts) in now { since[address] = counts - (before[address] ?? OutcomeCounts()) }
        before = now
        apply(detector.interval(since, at: loop.now))
        records = records.filter { detector.knows($0.key) }
    }

    private func timeIsOver() { apply(detector.release(at: loop.now)) }

    // MARK: What is done

    private func apply(_ verdicts: [OutlierVerdict]) {
        set?.changeTogether {
            for verdict in verdicts { apply(verdict) }
        }
        counters.set(active: detector.ejected.count)
        if let next = detector.nextRelease {
            loop.schedule(releaseTimer, after: next > loop.now ? next - loop.now : 0)
        } else {
            loop.cancel(releaseTimer)
        }
    }

    private func apply(_ verdict: OutlierVerdict) {
        counters.add(verdict)
        switch verdict {
        case .eject(let finding, let time, let times):
            set?.change(finding.address, at: loop.now) { $0.isEjected = true }
            records[finding.address]?.forgetStreaks()
            write(
                .warning, "endpoint ejected", finding,
                [("for", DurationText.write(.nanoseconds(Int64(clamping: time)))), ("times", String(times)), share])
        case .keep(let finding, let bound):
            write(.warning, "endpoint not ejected", finding, [("kept_by", bound.rawValue), share])
        case .notice(let finding):
            write(.debug, "endpoint not ejected", finding, [("kept_by", "enforcing"), share])
        case .release(let address, let release):
            set?.change(address, at: loop.now) { $0.isEjected = false }
            // Requests that were under way may have failed since.
            records[address]?.forgetStreaks()
            log.write(
                .info, "endpoint returned",
                [("cluster", cluster), ("endpoint", address.description), ("because", release.rawValue), share])
        }
    }

    private var share: (String, String) { ("ejected", "\(detector.ejected.count) of \(detector.listedCount)") }

    private func write(
        _ level: LogLevel, _ message: String, _ finding: OutlierFinding, _ fields: [(String, String)]
    ) {
        let numbers = [
            ("measured", Self.text(finding.measured)), ("limit", Self.text(finding.limit)),
            ("requests", String(finding.requests)),
        ]
        log.write(
            level, message,
            [("cluster", cluster), ("endpoint", finding.address.description), ("why", finding.kind.rawValue)]
                + (finding.requests > 0 ? numbers : numbers.dropLast()) + fields)
    }

    /// One place behind the point, if it is not 0.
    private static func text(_ number: Double) -> String {
        let tenths = Int((number * 10).rounded())
        return tenths % 10 == 0 ? String(tenths / 10) : "\(tenths / 10).\(abs(tenths % 10))"
    }
}
