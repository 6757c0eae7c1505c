internal import Engine
internal import FilterAPI

/// One thread of the data plane: its loop, its memory, its connections, its share of every listener and cluster.
///
/// Made on the control thread, then used on its own thread only. What crosses is posted.
///
/// SAFETY: `scratch` is allocated with the worker and never freed, as workers live as long as the process.
@safe
final class Worker {
    let index: Int
    let loop: EventLoop
    let pages: PagePool
    let streams = StreamTable()
    let mailbox: Mailbox
    /// Which filter is being called.
    let calls: CallRecord
    let date = DateCache()
    let registry: StatRegistry
    let log: Log
    /// For filters that are made for this worker, which is on the control thread.
    private let files: FileWatcher?
    /// Where questions to the admin interface are answered; nil where there is none.
    let desk: AdminDesk?
    private let folder: ConfigFolder
    /// Where bytes are read that nobody wants.
    let scratch: UnsafeMutableRawBufferPointer
    private(set) lazy var lingering = LingerList(worker: self)
    /// Health checks that this worker makes for the control thread.
    private(set) lazy var probes = ProbeTable(worker: self)
    /// Requests of filters' own.
    private(set) lazy var fetches = FetchDesk(worker: self)
    /// For code of filters that runs on other threads too.
    let seat: WorkerSeat

    private var pools: [ClusterPool?] = []
    private var listeners: [String: Listener] = [:]
    /// Listeners that a reload has taken away, while they have connections.
    private var leaving: [Listener] = []
    private(set) var connectionCount = 0
    private var lastConnectionID: UInt64
    private let connectionLimit: ConnectionLimit
    private let stats: StatSlots<WorkerStat>
    private(set) var isDraining = false
    private var whenInboundLeft: (() -> Void)?
    private var whenDrained: (() -> Void)?
    private var faultCells: [UInt: Counter] = [:]
    private var seed: UInt64

    init(
        index: Int, registry: StatRegistry, log: Log, connectionLimit: ConnectionLimit,
        files: FileWatcher? = nil, folder: ConfigFolder = ConfigFolder(of: nil), desk: AdminDesk? = nil
    ) throws(SystemFault) {
        self.desk = desk
        self.files = files
        self.folder = folder
        self.index = index
        calls = CallRecord(worker: index)
        lastConnectionID = UInt64(index) << 48
        self.registry = registry
        self.log = log
        stats = StatSlots(registry.lastingGroup(.worker(index), WorkerStat.schema, .worker(index)), slot: 0)
        self.connectionLimit = connectionLimit
        loop = try EventLoop()
        pages = PagePool()
        mailbox = Mailbox(poster: loop.poster)
        let poster = loop.poster
        seat = WorkerSeat(
            isCurrent: { poster.isCurrent },
            report: { log.write(.error, "a filter has thrown", [("filter", $0), ("error", $1)]) },
            post: { poster.post($0) })
        unsafe scratch = .allocate(byteCount: 64 * 1024, alignment: 16)
        var generator = SystemRandomNumberGenerator()
        seed = generator.next()
        loop.context = self
        let stats = stats
        loop.onTurn = { turn in
            stats.add(.turns)
            stats.add(.events, turn.events)
            stats.add(.busy, Int(turn.lag))
            if Int(turn.lag) > stats.value(.longestTurn) { stats.set(.longestTurn, Int(turn.lag)) }
        }
    }

    /// The time of this turn.
    var instant: FilterAPI.Instant {
        @inline(__always) get { FilterAPI.Instant(nanoseconds: loop.now) }
    }

    /// Counts a fault by its reason.
    func count(_ fault: Fault) {
        let key = unsafe UInt(bitPattern: fault.reason.utf8Start)
        if let cell = faultCells[key] { return cell.add() }
        let cell = registry.counter(.fault("\(fault.reason)"), FaultStat.entry, slot: index)
        faultCells[key] = cell
        cell.add()
    }

    // MARK: Clusters

    /// The pool of a cluster; nil where no config has had one of that name.
    func pool(_ id: ClusterID) -> ClusterPool? { id.index < pools.count ? pools[id.index] : nil }

    /// Puts a new or changed cluster in place; the old one's connections go when they are idle.
    func install(
        _ plan: ClusterPlan, id: ClusterID, chain: Chain, endpoints: EndpointList, health: HealthLink? = nil
    ) {
        while pools.count <= id.index { pools.append(nil) }
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let quota = ClusterQuota.shared(cluster: plan.name)
        let pool = ClusterPool(worker: self, id: id, plan: plan, chain: chain, quota: quota, seed: seed)
        pool.reportHealth(to: health)
        pool.update(endpoints)
        pools[id.index]?.retire()
        pools[id.index] = pool
    }

    /// The config has the cluster no more. Its pool stays for requests that began before, and keeps nothing.
    func removeCluster(_ id: ClusterID) { pool(id)?.retire() }

    func update(_ id: ClusterID, _ list: EndpointList) { pool(id)?.update(list) }

    // MARK: Listeners

    /// Begins to accept at sockets that the control thread has opened, or gives a listener new chains.
    func install(_ plan: ListenerPlan, chains: ChainList, sockets: [BoundSocket], accessLog: AccessLog?) {
        if let listener = listeners[plan.name] {
            listener.change(plan, chains: chains, sockets: sockets, accessLog: accessLog)
        } else {
            let listener = Listener(worker: self, plan: plan, chains: chains, accessLog: accessLog)
            listeners[plan.name] = listener
            listener.change(plan, chains: chains, sockets: sockets, accessLog: accessLog)
        }
    }

    /// Gives up the addresses that a listener will not have any more, before another one may take them.
    func prepare(_ plan: ListenerPlan) { listeners[plan.name]?.keepAcceptors(at: plan.addresses) }

    func removeListener(_ name: String) {
        guard let listener = listeners.removeValue(forKey: name) else { return }
        leaving.removeAll { !$0.hasConnections }
        leaving.append(listener)
        listener.stop()
    }

    /// The last connection of a listener that accepts no more has ended.
    func listenerLeft(_ listener: Listener) {
        guard let index = leaving.firstIndex(where: { $0 === listener }) else { return }
        listener.accessLog?.flush()
        leaving.remove(at: index)
    }

    // MARK: Connections

    /// A number that no other connection of this process has, of a client or to an endpoint.
    func nextConnectionID() -> UInt64 {
        lastConnectionID += 1
        return lastConnectionID
    }

    /// Whether one more client may come in; counted if so.
    func admit() -> Bool {
        guard connectionLimit.take() else { return false }
        connectionCount += 1
        stats.add(.cxTotal)
        stats.add(.cxActive)
        return true
    }

    func connectionGone() {
        connectionCount -= 1
        stats.add(.cxActive, -1)
        connectionLimit.give()
        if isDraining { lookWhatIsLeft() }
    }

    /// A stream is over: its line is written, its outcome counted.
    func streamEnded(_ stream: HTTPStream, on connection: ServerConnection) {
        let facts = unsafe stream.factsMemory
        let stats = connection.listener.stats
        let status = unsafe facts.pointee.status
        stats.http.add(.rqActive, -1)
        if stream.flags.contains(.countedTunnel) { stats.http.add(.cxUpgradesActive, -1) }
        stats.http.add(.ofStatus(status))
        if status > 0 {
            stats.http.add(.rqCompleted)
            unsafe stats.requestTime.record(loop.now - min(loop.now, facts.pointee.start.nanoseconds))
            if unsafe facts.pointee.isLocalReply { stats.http.add(.rqDirectResponse) }
            if !stream.flags.contains(.requestEnded) { stats.http.add(.rqResponseBeforeComplete) }
        }
        if unsafe facts.pointee.flags.contains(.downstreamConnectionTermination) { stats.http.add(.rqReceivedReset) }
        connection.listener.accessLog?.write(stream, on: connection)
    }

    // MARK: The end

    /// The first step: inbound listeners stop accepting, each after its delay, and what runs finishes.
    ///
    /// - Parameter done: called when no inbound listener accepts or has a connection.
    func drainInbound(_ done: @escaping () -> Void) {
        guard !isDraining else { return }
        isDraining = true
        whenInboundLeft = done
        for listener in listeners.values where listener.isInbound { listener.leave() }
        lookWhatIsLeft()
    }

    /// Listeners that wait for the end of their delay stop accepting now.
    func endDelays() {
        for listener in listeners.values where listener.isLeaving { listener.stop() }
        lookWhatIsLeft()
    }

    /// The second step: outbound listeners as well.
    ///
    /// - Parameter done: called when nothing is left.
    func drainOutbound(_ done: @escaping () -> Void) {
        whenDrained = done
        stopListeners()
        lookWhatIsLeft()
    }

    /// Accepts nobody any more; those that are there finish. The admin interface goes on, to tell of it.
    func stopListeners(inboundOnly: Bool = false) {
        for listener in listeners.values where !listener.plan.isAdmin {
            if listener.isInbound || !inboundOnly { listener.stop() }
        }
    }

    /// A connection has ended, or a listener has stopped, while the process drains.
    func lookWhatIsLeft() {
        if let left = whenInboundLeft, (leaving + listeners.values).allSatisfy({ !$0.isInbound || $0.hasLeft }) {
            whenInboundLeft = nil
            left()
        }
        if whenDrained != nil, connectionCount == 0 { drained() }
    }

    /// Sets what this worker counts to 0.
    func resetCounters() {
        for group in registry.groups {
            if let slot = group.writers.slot(ofWorker: index) { group.resetCounters(slot: slot) }
        }
        stats.set(.longestTurn, 0)
    }

    private func drained() {
        for listener in leaving + listeners.values { listener.accessLog?.flush() }
        whenDrained?()
        whenDrained = nil
    }

    /// Cuts off what still runs, and stops.
    func abort() {
        for listener in leaving + listeners.values { listener.abort() }
    }
}

extension Worker: WorkerServices {
    func counter(_ name: String, _ stage: StageIdentity, _ labels: StatLabels?) -> FilterAPI.Counter {
        registry.counter(name, stage, labels, slot: index)
    }

    func gauge(_ name: String, _ stage: StageIdentity, _ labels: StatLabels?) -> Gauge {
        registry.gauge(name, stage, labels)
    }

    func histogram(_ name: String, _ stage: StageIdentity, _ labels: StatLabels?) -> Histogram {
        registry.histogram(name, stage, labels, slot: index)
    }

    func shared<T: AnyObject & Sendable, E: Error>(_ key: String, _ make: () throws(E) -> T) throws(E) -> T {
        try SharedState.process.value(key, make)
    }

    func watch(_ state: any WatchedState) { files?.watch(state) }

    func path(_ text: String) -> String { folder.resolve(text) }

    func filterLog(stage: String) -> FilterLog {
        let log = log
        return FilterLog { level, message, fields in log.write(level, message, [("filter", stage)] + fields) }
    }

    func cluster(_ name: String) -> ClusterID { ClusterNames.process.id(name) }

    func log(_ level: LogLevel, _ message: String, stage: String) {
        log.write(level, message, [("filter", stage), ("worker", String(index))])
    }
}
