internal import Engine
internal import FilterAPI

/// The endpoints of one cluster on the control thread: addresses as they are, names as they are looked up, what is
/// thought of each, and what follows for the workers.
///
/// A name without addresses is no error: there is nothing behind it for now.
final class EndpointSet {
    /// The cluster's name, for logs.
    let cluster: String
    private let endpoints: [EndpointSettings]
    private let resolver: Resolver
    private let watch: OutlierWatch?
    private let stats: MembershipStats?
    private var records: [String: NameRecord] = [:]
    private var statuses: [SocketAddress: EndpointStatus] = [:]
    private var observers: [ObjectIdentifier: () -> Void] = [:]
    private let rules: ServingRules
    private let onChange: (EndpointList) -> Void
    /// All addresses that are known now, with the weights and priorities of the config.
    private(set) var known = EndpointList()
    /// Those that serve now, as the workers have them.
    private(set) var list = EndpointList()
    /// Set while several changes are made that are to be one for the workers.
    private var isChanging = false
    private var isStopped = false
    /// The priorities that are in panic.
    private var panicking: Set<Int> = []
    /// Looks again at weights that grow; nil until there are any.
    private var growthTimer: CallbackTimer?

    /// Takes what is known already; looks nothing up before ``begin()``.
    ///
    /// - Parameters:
    ///   - previous: the set that this one takes the place of; who was in a slow start stays in it, and who is new begins
    ///     one. What was said against its endpoints is not taken over: whoever says so says it again.
    ///   - watch: has the records of what workers see of the endpoints, where outliers are looked for.
    ///   - onChange: called with each new list of those that serve, until ``stop()``.
    init(
        _ cluster: String, _ settings: ClusterSettings, resolver: Resolver, after previous: EndpointSet? = nil,
        watch: OutlierWatch? = nil, stats: MembershipStats? = nil, onChange: @escaping (EndpointList) -> Void
    ) {
        self.cluster = cluster
        endpoints = settings.endpoints
        rules = ServingRules(settings)
        self.resolver = resolver
        self.watch = watch
        self.stats = stats
        self.onChange = onChange
        for endpoint in endpoints {
            guard case .name(let name, _) = endpoint.parsed else { continue }
            records[name] = resolver.record(name, settings.dns)
        }
        known = gather()
        if let previous { takeTimes(from: previous) }
        publish(at: resolver.loop.now, isFirst: true)
        for record in records.values { record.add(observer: self) { [unowned self] in self.namesChanged() } }
    }

    /// Begins to look names up.
    func begin() { for record in records.values { record.begin() } }

    /// Calls back no more.
    func stop() {
        isStopped = true
        for record in records.values { record.remove(observer: self) }
        records = [:]
        observers = [:]
        if let growthTimer { resolver.loop.cancel(growthTimer) }
    }

    deinit { stop() }

    // MARK: What is thought of them

    /// What is thought of an address; of one that nobody has said anything about, the best.
    func status(of address: SocketAddress) -> EndpointStatus { statuses[address] ?? EndpointStatus() }

    /// Changes what is thought of an address; the workers hear of it where it changes what serves.
    ///
    /// Does nothing for an address that is not known (any more).
    ///
    /// - Parameters:
    ///   - now: the loop's clock.
    ///   - edit: sets ``EndpointStatus/failedCheck`` and ``EndpointStatus/awaitsFirstPass``, or ``EndpointStatus/isEjected``,
    ///     each by whose word it is; the rest is the set's own.
    func change(_ address: SocketAddress, at now: Nanoseconds, _ edit: (inout EndpointStatus) -> Void) {
        guard known.entries.contains(where: { $0.address == address }) else { return }
        let before = status(of: address)
        var edited = before
        edit(&edited)
        var after = before
        after.failedCheck = edited.failedCheck
        after.awaitsFirstPass = edited.awaitsFirstPass
        after.isEjected = edited.isEjected
        if before.isGood, !after.isGood { after.badSince = now }
        if !before.isGood, after.isGood { after.healthySince = now }
        guard after != before else { return }
        statuses[address] = after
        publish(at: now)
    }

    /// Makes several changes one for the workers.
    func changeTogether(_ changes: () -> Void) {
        guard !isChanging else { return changes() }
        isChanging = true
        changes()
        isChanging = false
        publish(at: resolver.loop.now)
    }

    /// Calls `onComeOrGo` whenever ``known`` has other addresses than before, until ``remove(observer:)`` or
    /// ``stop()``.
    ///
    /// The workers hear of new addresses only after that, so that whoever checks them first can put them aside in time.
    func add(observer: AnyObject, onComeOrGo: @escaping () -> Void) {
        observers[ObjectIdentifier(observer)] = onComeOrGo
    }

    func remove(observer: AnyObject) { observers[ObjectIdentifier(observer)] = nil }

    // MARK: Changes

    private func namesChanged() {
        let before = known
        known = gather()
        let addresses = Set(known.entries.map(\.address))
        statuses = statuses.filter { addresses.contains($0.key) }
        let added = addresses.subtracting(before.entries.map(\.address))
        if !before.entries.isEmpty {
            for address in added { statuses[address] = EndpointStatus(healthySince: resolver.loop.now) }
        }
        changeTogether {
            guard !added.isEmpty || addresses.count != before.entries.count else { return }
            for observer in observers.values { observer() }
        }
    }

    /// Who was there before keeps its time, and who was not begins now, unless there was nobody.
    private func takeTimes(from previous: EndpointSet) {
        let before = Set(previous.known.entries.map(\.address))
        guard !before.isEmpty else { return }
        for address in known.entries.map(\.address) {
            let isKnown = before.contains(address)
            let time = isKnown ? previous.status(of: address).healthySince : resolver.loop.now
            statuses[address] = EndpointStatus(healthySince: time)
        }
    }

    /// Decides anew who serves, and tells those who have to know.
    private func publish(at now: Nanoseconds, isFirst: Bool = false) {
        guard !isChanging, !isStopped else { return }
        let next = ServingSet(known, rules: rules, at: now) { status(of: $0) }
        note(next)
        stats?.set(total: known.entries.count, statuses: known.entries.map { status(of: $0.address) }, next)
        if next.isGrowing { lookAgain() }
        guard next.list != list else { return }
        list = next.list
        stats?.changed()
        if !isFirst { onChange(list) }
    }

    private func lookAgain() {
        guard let slowStart = rules.slowStart else { return }
        let timer = growthTimer ?? CallbackTimer { [unowned self] in self.publish(at: self.resolver.loop.now) }
        growthTimer = timer
        if !timer.isArmed { resolver.loop.schedule(timer, after: slowStart.interval) }
    }

    // MARK: Telling the operator

    private func note(_ next: ServingSet) {
        for address in known.entries.map(\.address) where status(of: address).isKept != next.kept.contains(address) {
            let isKept = next.kept.contains(address)
            statuses[address, default: EndpointStatus()].isKept = isKept
            let fields = [("cluster", cluster), ("endpoint", address.description), ("reason", "min_serving")]
            resolver.log(.info, isKept ? "bad endpoint kept in service" : "endpoint no longer kept in service", fields)
        }
        for priority in next.panicking.symmetricDifference(panicking).sorted() {
            let fields = [("cluster", cluster), ("priority", String(priority)), ("reason", "panic_threshold")]
            if next.panicking.contains(priority) {
                resolver.log(.warning, "too few endpoints are good, all are used", fields)
            } else {
                resolver.log(.info, "enough endpoints are good, only those are used", fields)
            }
        }
        panicking = next.panicking
    }

    // MARK: Gathering

    private func gather() -> EndpointList {
        var list = EndpointList()
        for endpoint in endpoints {
            switch endpoint.parsed {
            case .fixed(let address): list.add(address, weight: endpoint.weight, priority: endpoint.priority)
            case .name(let name, let port):
                for address in records[name]?.addresses ?? [] {
                    list.add(
                        address.with(port: port), host: name, weight: endpoint.weight, priority: endpoint.priority)
                }
            case nil: break
            }
        }
        list.awaitsNames = list.entries.isEmpty && records.values.contains { !$0.isKnown }
        if let watch { list.take(watch.record) }
        if let stats { list.takeStats(stats.endpoint) }
        return list
    }
}
