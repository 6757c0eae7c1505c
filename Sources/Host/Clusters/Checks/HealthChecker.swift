internal import Engine
internal import FilterAPI

/// The active health checks of one cluster: one for the process, on the control thread.
///
/// It knows when which endpoint is due and what follows from the answers; the asking itself is done on a worker, where
/// the cluster's chain is, by ``Probe``. An endpoint that is there from the start is good until its first result says
/// otherwise; one that comes later is used only when it has passed.
final class HealthChecker {
    /// For the cluster's pools.
    let link: HealthLink
    private let set: EndpointSet
    private let checks: [HealthCheck]
    private let cluster: ClusterID
    private let loop: EventLoop
    private let log: Log
    private let counters: HealthCounters
    private let onPass: (SocketAddress) -> Void
    private let prober: Handover<Worker>
    private let workerPoster: LoopPoster
    private var random = SystemRandomNumberGenerator()
    /// One for each check, in the order of the checks.
    private var watches: [SocketAddress: [HealthWatch]] = [:]
    private var byID: [UInt64: HealthWatch] = [:]
    /// Those that have joined others, and have not passed once.
    private var newcomers: Set<SocketAddress> = []
    private var isBegun = false

    /// Takes over what is known already; asks nobody before ``begin()``.
    ///
    /// - Parameters:
    ///   - worker: asks the endpoints.
    ///   - previous: the checker that this one takes the place of; what it knows of addresses that stay still counts.
    ///   - onPass: called with the endpoint of each check that passed, where it is good by all checks.
    init(
        _ set: EndpointSet, _ settings: ClusterSettings, on loop: EventLoop, worker: Worker, log: Log,
        after previous: HealthChecker?, onPass: @escaping (SocketAddress) -> Void
    ) {
        self.onPass = onPass
        self.set = set
        self.loop = loop
        self.log = log
        cluster = ClusterNames.process.id(set.cluster)
        checks = settings.healthChecks.map { HealthCheck($0, cluster: set.cluster) }
        counters = HealthCounters(worker.registry, cluster: set.cluster)
        prober = Handover(worker)
        workerPoster = worker.loop.poster
        link = HealthLink(loop.poster, hasTraffic: previous?.link.hasTraffic ?? false)
        link.connect(self)
        for entry in set.known.entries { watch(entry, after: previous) }
        tellSet(of: Array(watches.keys))
        set.add(observer: self) { [unowned self] in self.addressesChanged() }
    }

    /// Begins to ask.
    func begin() {
        isBegun = true
        for watch in byID.values { start(watch) }
    }

    /// Asks no more.
    func stop() {
        set.remove(observer: self)
        for watch in byID.values { end(watch) }
        byID = [:]
        watches = [:]
    }

    deinit { stop() }

    // MARK: Who is watched

    private func addressesChanged() {
        let known = Set(set.known.entries.map(\.address))
        for address in watches.keys where !known.contains(address) {
            for watch in watches.removeValue(forKey: address) ?? [] {
                end(watch)
                byID[watch.id] = nil
            }
            newcomers.remove(address)
        }
        let isFirst = watches.isEmpty
        let added = set.known.entries.filter { watches[$0.address] == nil }
        for entry in added {
            if isFirst { watch(entry, HealthMachine(isGood: true)) } else { watchNewcomer(entry) }
            if isBegun { for watch in watches[entry.address] ?? [] { start(watch) } }
        }
        tellSet(of: added.map(\.address))
    }

    private func watch(_ entry: EndpointList.Entry, after previous: HealthChecker?) {
        guard let known = previous?.watches, !known.isEmpty else {
            return watch(entry, HealthMachine(isGood: true))
        }
        guard let before = known[entry.address] else { return watchNewcomer(entry) }
        if previous?.newcomers.contains(entry.address) == true { newcomers.insert(entry.address) }
        let isGood = before.allSatisfy(\.machine.isGood)
        let hasResult = before.allSatisfy(\.machine.hasResult)
        add(
            entry,
            checks.map { check in
                before.first { $0.check.settings == check.settings }?.machine
                    ?? HealthMachine(isGood: isGood, hasResult: hasResult)
            })
    }

    private func watchNewcomer(_ entry: EndpointList.Entry) {
        newcomers.insert(entry.address)
        watch(entry, HealthMachine(isGood: false))
    }

    private func watch(_ entry: EndpointList.Entry, _ machine: HealthMachine) {
        add(entry, checks.map { _ in machine })
    }

    private func add(_ entry: EndpointList.Entry, _ machines: [HealthMachine]) {
        let added = zip(checks, machines).map { HealthWatch(entry, $0, $1, self) }
        watches[entry.address] = added
        for watch in added { byID[watch.id] = watch }
    }

    private func start(_ watch: HealthWatch) {
        loop.schedule(watch, after: upTo(watch.check.settings.initialJitter.wholeNanoseconds))
    }

    private func end(_ watch: HealthWatch) {
        if watch.isArmed { loop.cancel(watch) }
        let (prober, id) = (prober, watch.id)
        workerPoster.post { unsafe prober.value.probes.forget(id) }
    }

    private func upTo(_ limit: Nanoseconds) -> Nanoseconds { UInt64.random(in: 0...limit, using: &random) }

    // MARK: Asking

    /// The time for a check has come.
    func ask(_ watch: HealthWatch) {
        guard !watch.isRunning else { return }
        watch.isRunning = true
        counters.attempts.add()
        let order = ProbeOrder(
            watch: watch.id, cluster: cluster, endpoint: watch.endpoint, check: watch.check, link: link)
        let prober = prober
        workerPoster.post { unsafe prober.value.probes.ask(order) }
    }

    /// A check has ended.
    func ended(_ id: UInt64, _ outcome: CheckOutcome) {
        guard let watch = byID[id], watch.isRunning else { return }
        watch.isRunning = false
        counters.count(outcome.kind)
        let isFirst = !watch.machine.hasResult
        let change = watch.machine.take(outcome.kind, watch.check.rules)
        // Who reads the line finds that it is true already.
        if change != nil { tellSet(of: [watch.endpoint.address]) }
        tell(watch, outcome, change, isFirst: isFirst)
        if outcome.kind == .passed, isGood(watch.endpoint.address) { onPass(watch.endpoint.address) }
        loop.schedule(
            watch,
            after: watch.machine.pause(watch.check.rules, hasTraffic: link.hasTraffic, random: random.next()))
    }

    /// The first request goes to the cluster: what was known is older than it should be from now on.
    func trafficBegan() {
        for watch in byID.values where watch.isArmed && watch.check.rules.noTrafficInterval != nil {
            loop.schedule(watch, after: 0)
        }
    }

    /// An endpoint has said in the answer to a request that it must not be used.
    func refused(_ address: SocketAddress) {
        guard let asked = watches[address] else { return }
        counters.passiveFailures.add()
        let outcome = CheckOutcome(kind: .refused, cause: "x-envoy-immediate-health-check-fail")
        let changes = asked.map { $0.machine.take(.refused, $0.check.rules) }
        tellSet(of: [address])
        for (watch, change) in zip(asked, changes) { tell(watch, outcome, change, isFirst: false) }
    }

    // MARK: What follows

    /// An endpoint is good where all checks say so.
    private func tellSet(of addresses: [SocketAddress]) {
        set.changeTogether {
            for address in addresses {
                let isGood = isGood(address)
                if isGood { newcomers.remove(address) }
                set.change(address, at: loop.now) { status in
                    status.failedCheck = !isGood
                    status.awaitsFirstPass = newcomers.contains(address)
                }
            }
        }
        counters.healthy.set(Int64(watches.keys.count { isGood($0) }))
    }

    private func isGood(_ address: SocketAddress) -> Bool {
        watches[address]?.allSatisfy(\.machine.isGood) ?? true
    }

    private func tell(_ watch: HealthWatch, _ outcome: CheckOutcome, _ change: HealthMachine.Change?, isFirst: Bool) {
        var fields = [
            ("cluster", set.cluster), ("endpoint", watch.endpoint.address.description), ("check", watch.check.name),
        ]
        if outcome.kind != .passed {
            fields += [("cause", outcome.cause), ("failures", String(watch.machine.failures))]
        }
        switch change {
        case .becameGood: log.write(.info, "endpoint became healthy", fields)
        case .becameBad where isFirst: log.write(.warning, "first check of an endpoint failed", fields)
        case .becameBad: log.write(.warning, "endpoint became unhealthy", fields)
        case nil where outcome.kind == .passed: break
        case nil where isFirst: log.write(.warning, "first check of an endpoint failed", fields)
        case nil where watch.check.settings.alwaysLogFailures: log.write(.warning, "health check failed", fields)
        case nil: break
        }
    }
}
