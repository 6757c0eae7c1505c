internal import Config
internal import Engine
internal import FilterAPI

/// What is in place now, and the way from one plan to the next: everything is built first, then handed over at once.
final class Generation {
    private(set) var plan: GenerationPlan?
    private(set) var boundAddresses: [(listener: String, address: String)] = []
    /// How many plans were put in place.
    private var number = 0
    private let stats: GenerationStats
    private let log: Log
    private var writer: LogWriter?
    private var sinks: [String: LogSink] = [:]
    private var endpointSets: [String: EndpointSet] = [:]
    private var healthCheckers: [String: HealthChecker] = [:]
    private var outlierWatches: [String: OutlierWatch] = [:]
    private var bound: [String: [SocketAddress: SocketAddress]] = [:]
    private var shared: [SocketAddress: SharedSocket] = [:]

    init(log: Log, writer: LogWriter?, stats: GenerationStats) {
        self.stats = stats
        self.log = log
        self.writer = writer
    }

    /// What has to be handed to one worker.
    private struct Delivery {
        var clusters: [(plan: ClusterPlan, id: ClusterID, chain: Chain)] = []
        var listeners: [(plan: ListenerPlan, chains: ChainList, sockets: [BoundSocket], log: AccessLog?)] = []
    }

    /// Builds a plan and puts it in place; on any error nothing has changed, and the diagnostics say why.
    ///
    /// - Parameter whenInPlace: called on the resolver's loop, once all workers have taken it over.
    func install(
        _ next: GenerationPlan, on workers: [Worker], resolver: Resolver, diagnostics: Diagnostics,
        whenInPlace: @escaping () -> Void
    ) -> Bool {
        let changedClusters = next.clusters.filter { !isUnchanged($0) }
        let changedListeners = next.listeners.filter { !isUnchanged($0) }
        let sinks = openSinks(next, diagnostics)
        var deliveries: [Delivery] = []
        for worker in workers {
            guard
                let delivery = build(changedClusters, changedListeners, worker, sinks, next, diagnostics)
            else { return false }
            deliveries.append(delivery)
        }
        guard !diagnostics.hasErrors, let sockets = bind(changedListeners, workers.count, diagnostics) else {
            stats.couldNotBind()
            return false
        }
        for index in workers.indices {
            for position in deliveries[index].listeners.indices {
                let name = deliveries[index].listeners[position].plan.name
                deliveries[index].listeners[position].sockets = sockets[name]?[index] ?? []
            }
        }
        number += 1
        watchEndpoints(changedClusters, workers, resolver)
        let receipt = Receipt(workers.count, on: resolver.loop.poster, whenInPlace)
        handOver(deliveries, to: workers, next, receipt)
        for cluster in changedClusters {
            endpointSets[cluster.name]?.begin()
            healthCheckers[cluster.name]?.begin()
        }
        self.sinks = sinks
        forget(next)
        stats.note(next, after: plan, listeners: changedListeners.map(\.name), clusters: changedClusters.map(\.name))
        plan = next
        return true
    }

    private func isUnchanged(_ cluster: ClusterPlan) -> Bool {
        plan?.clusters.contains {
            $0.name == cluster.name && $0.node.isEquivalent(to: cluster.node)
                && $0.chain.hasSameFilters(as: cluster.chain)
        } ?? false
    }

    private func isUnchanged(_ listener: ListenerPlan) -> Bool {
        guard let old = plan?.listeners.first(where: { $0.name == listener.name }) else { return false }
        return old.node.isEquivalent(to: listener.node) && old.hasSameUsualLogs(as: listener)
            && zip(old.chains, listener.chains).allSatisfy { $0.chain.hasSameFilters(as: $1.chain) }
    }

    // MARK: Building

    private func build(
        _ clusters: [ClusterPlan], _ listeners: [ListenerPlan], _ worker: Worker, _ sinks: [String: LogSink],
        _ next: GenerationPlan, _ diagnostics: Diagnostics
    ) -> Delivery? {
        let builder = ChainBuilder(file: diagnostics.file)
        var delivery = Delivery()
        var node: Node?
        do throws(ChainBuilder.Refusal) {
            for cluster in clusters {
                node = cluster.node
                let chain = try builder.build(cluster.chain, of: cluster.name, side: .upstream, services: worker)
                delivery.clusters.append((cluster, ClusterNames.process.id(cluster.name), chain))
            }
            for listener in listeners {
                var entries: [ChainList.Entry] = []
                for choice in listener.chains {
                    node = choice.node
                    let chain = try builder.build(choice.chain, of: listener.name, side: .client, services: worker)
                    if listener.settings.filterTimes {
                        chain.measure(
                            ChainTimes(
                                choice.chain, owner: listener.name, side: .client, worker.registry, worker: worker.index
                            ))
                    }
                    entries.append(ChainList.Entry(match: choice.match, chain: chain))
                }
                let log = AccessLog(listener.accessLogs, sinks, worker)
                delivery.listeners.append((listener, ChainList(entries), [], log))
            }
        } catch {
            if let node { Rehearsal.report(error, node, diagnostics) }
            return nil
        }
        return delivery
    }

    private func openSinks(_ next: GenerationPlan, _ diagnostics: Diagnostics) -> [String: LogSink] {
        var open: [String: LogSink] = [:]
        for log in next.listeners.flatMap(\.accessLogs) where open[log.to] == nil {
            let path = log.to
            if let old = sinks[path] {
                open[path] = old
                continue
            }
            do throws(SystemFault) {
                open[path] = try LogSink(path: path == "stdout" ? nil : path, writer: try logWriter(), log: self.log)
            } catch {
                diagnostics.error(
                    .refusedValue, "the access log `\(path)` cannot be opened: \(error.description)",
                    at: log.place, hint: "the folder must exist and be writable")
            }
        }
        return open
    }

    private func logWriter() throws(SystemFault) -> LogWriter {
        if let writer { return writer }
        let made = try LogWriter()
        writer = made
        return made
    }

    /// Opens the sockets of addresses that no running listener has: per listener, per worker.
    private func bind(
        _ listeners: [ListenerPlan], _ count: Int, _ diagnostics: Diagnostics
    ) -> [String: [[BoundSocket]]]? {
        var opened: [String: [[BoundSocket]]] = [:]
        var all: [BoundSocket] = []
        for listener in listeners {
            var perWorker: [[BoundSocket]] = Array(repeating: [], count: count)
            for (position, address) in listener.addresses.enumerated() {
                if bound[listener.name]?[address] != nil { continue }
                do throws(ListenError) {
                    let sockets = try open(address, listener.settings.backlog, count)
                    for index in 0..<count { perWorker[index].append(sockets[index]) }
                    all += sockets
                } catch {
                    let node = listener.node["bind"]
                    diagnostics.error(
                        .badAddress, error.description, at: (node?.elements?[position] ?? node ?? listener.node).place)
                    for socket in all { socket.close() }
                    return nil
                }
            }
            opened[listener.name] = perWorker
        }
        return opened
    }

    private func open(_ address: SocketAddress, _ backlog: Int, _ count: Int) throws(ListenError) -> [BoundSocket] {
        if address.family == .unix {
            let shared = try share(address, backlog, count)
            return Array(repeating: BoundSocket(asked: address, socket: shared.socket, shared: shared), count: count)
        }
        // Another listener of the running generation may hand the address over; no other process may share it.
        let isOurs = bound.values.contains { $0.values.contains(address) }
        var sockets: [BoundSocket] = []
        do throws(ListenError) {
            while sockets.count < count {
                // Where any port will do, all workers have the one that the first of them got.
                let socket = try ListeningSocket.open(
                    sockets.first?.socket.address ?? address, backlog: backlog, reusePort: true,
                    alone: sockets.isEmpty && !isOurs)
                sockets.append(BoundSocket(asked: address, socket: socket))
            }
        } catch {
            for socket in sockets { socket.close() }
            throw error
        }
        return sockets
    }

    /// A Unix socket for so many workers: the one that another listener had until now, or a new one.
    private func share(_ address: SocketAddress, _ backlog: Int, _ count: Int) throws(ListenError) -> SharedSocket {
        if let running = shared[address], running.take(count) { return running }
        let fresh = SharedSocket(try ListeningSocket.open(address, backlog: backlog), users: count)
        shared[address] = fresh
        return fresh
    }

    // MARK: Handing over

    private func handOver(
        _ deliveries: [Delivery], to workers: [Worker], _ next: GenerationPlan, _ receipt: Receipt
    ) {
        let goneListeners = plan?.listeners.map(\.name).filter { name in !next.listeners.contains { $0.name == name } }
        let goneClusters = plan?.clusters.map(\.name).filter { name in !next.clusters.contains { $0.name == name } }
        // With a cluster go the addresses that are known of it, so that not one request finds it empty.
        let lists = endpointSets.mapValues(\.list)
        let links = healthCheckers.mapValues(\.link)
        for (worker, delivery) in zip(workers, deliveries) {
            let handover = Handover((worker, delivery))
            worker.loop.poster.post {
                let (worker, delivery) = unsafe handover.value
                for (plan, id, chain) in delivery.clusters {
                    worker.install(
                        plan, id: id, chain: chain, endpoints: lists[plan.name] ?? EndpointList(),
                        health: links[plan.name])
                }
                for name in goneListeners ?? [] { worker.removeListener(name) }
                for (plan, _, _, _) in delivery.listeners { worker.prepare(plan) }
                for (plan, chains, sockets, log) in delivery.listeners {
                    worker.install(plan, chains: chains, sockets: sockets, accessLog: log)
                }
                for name in goneClusters ?? [] { worker.removeCluster(ClusterNames.process.id(name)) }
                receipt.sign()
            }
        }
        remember(deliveries.first, next)
    }

    private func remember(_ delivery: Delivery?, _ next: GenerationPlan) {
        var addresses = bound
        for listener in next.listeners {
            let fresh = delivery?.listeners.first { $0.plan.name == listener.name }?.sockets ?? []
            var known = addresses[listener.name]?.filter { listener.addresses.contains($0.key) } ?? [:]
            for socket in fresh { known[socket.asked] = socket.socket.address }
            addresses[listener.name] = known
        }
        bound = addresses.filter { entry in next.listeners.contains { $0.name == entry.key } }
        boundAddresses = next.listeners.flatMap { listener in
            listener.addresses.compactMap { address in
                bound[listener.name]?[address].map { (listener.name, $0.description) }
            }
        }
    }

    /// Makes the sets of endpoints of changed clusters; they look nothing up before they are told to begin.
    private func watchEndpoints(_ clusters: [ClusterPlan], _ workers: [Worker], _ resolver: Resolver) {
        for cluster in clusters {
            let previous = endpointSets[cluster.name]
            previous?.stop()
            let id = ClusterNames.process.id(cluster.name)
            let targets = Handover(workers)
            let watch = watchOutliers(of: cluster, workers, resolver.loop)
            let stats = workers.first.map { MembershipStats($0.registry, cluster: cluster.name) }
            stats?.set(version: number)
            let set = EndpointSet(
                cluster.name, cluster.settings, resolver: resolver, after: previous, watch: watch, stats: stats
            ) { list in
                for worker in unsafe targets.value {
                    let handover = Handover(worker)
                    worker.loop.poster.post { unsafe handover.value.update(id, list) }
                }
            }
            endpointSets[cluster.name] = set
            watch?.follow(set)
            checkHealth(cluster, set, watch, prober: workers.first, resolver.loop)
        }
    }

    /// Makes the health checks of a cluster, if it has any; they ask nobody before they are told to begin.
    private func checkHealth(
        _ cluster: ClusterPlan, _ set: EndpointSet, _ watch: OutlierWatch?, prober: Worker?, _ loop: EventLoop
    ) {
        let previous = healthCheckers.removeValue(forKey: cluster.name)
        if let prober, !cluster.settings.healthChecks.isEmpty {
            healthCheckers[cluster.name] = HealthChecker(
                set, cluster.settings, on: loop, worker: prober, log: log, after: previous
            ) { [weak watch] endpoint in watch?.checkSucceeded(at: endpoint) }
        }
        previous?.stop()
    }

    /// The watch of a cluster, which knows what it knew before; nil where outliers are not looked for.
    private func watchOutliers(of cluster: ClusterPlan, _ workers: [Worker], _ loop: EventLoop) -> OutlierWatch? {
        guard let settings = cluster.settings.outlierDetection, let worker = workers.first else {
            outlierWatches.removeValue(forKey: cluster.name)?.stop()
            return nil
        }
        if let running = outlierWatches[cluster.name] {
            running.change(settings, minServing: cluster.settings.minServing)
            return running
        }
        let watch = OutlierWatch(
            cluster: cluster.name, settings, minServing: cluster.settings.minServing, workers: workers.count,
            loop: loop, log: log,
            registry: worker.registry)
        outlierWatches[cluster.name] = watch
        return watch
    }

    private func forget(_ next: GenerationPlan) {
        for name in endpointSets.keys where !next.clusters.contains(where: { $0.name == name }) {
            endpointSets.removeValue(forKey: name)?.stop()
            healthCheckers.removeValue(forKey: name)?.stop()
            outlierWatches.removeValue(forKey: name)?.stop()
        }
    }

    // MARK: For whoever looks

    /// What is known of all clusters.
    var clusterReports: [ClusterReport] {
        (plan?.clusters ?? []).map { cluster in
            let set = endpointSets[cluster.name]
            let limits = [
                ("max_connections", cluster.limits.connections.value),
                ("max_pending_requests", cluster.limits.pending.value),
                ("max_requests", cluster.limits.requests.value),
                ("max_retries", cluster.limits.retries?.value ?? 0),
            ]
            let endpoints = (set?.known.entries ?? []).map { entry in
                ClusterReport.EndpointReport(
                    address: entry.name.text, host: entry.host, weight: entry.weight, priority: entry.priority,
                    status: set?.status(of: entry.address) ?? EndpointStatus(),
                    statistics: entry.stats.map { group in
                        group.schema.entries.map { ($0.description.name, group.value($0)) }
                    } ?? [])
            }
            let quota = ClusterQuota.shared(cluster: cluster.name)
            let counts = [quota.connections, quota.pending, quota.requests, quota.retries].map(\.count)
            return ClusterReport(name: cluster.name, limits: limits, counts: counts, endpoints: endpoints)
        }
    }

    /// At how many sockets each listener should accept.
    var expectedSockets: [(listener: String, count: Int)] {
        (plan?.listeners ?? []).map { ($0.name, $0.addresses.count) }
    }

    func reopenLogs() {
        for sink in sinks.values {
            do throws(SystemFault) { try sink.reopen() } catch {
                log.write(
                    .error, "cannot open a log file again",
                    [("path", sink.path ?? "stdout"), ("error", error.description)])
            }
        }
    }

    /// Waits until everything that was handed to log files is written; not for ever, as somebody may not read a pipe.
    func finish(on loop: EventLoop, within limit: Nanoseconds) {
        guard let writer else { return }
        let timer = CallbackTimer { loop.stop() }
        loop.schedule(timer, after: limit)
        let back = loop.poster
        writer.poster.post { back.post(withLoop: { $0.stop() }) }
        loop.run()
        for sink in sinks.values { sink.tellLosses(atOnce: true) }
        guard timer.isArmed else {
            return log.write(.warning, "a reader of the access log holds it up, lines are lost")
        }
        loop.cancel(timer)
        writer.finish()
    }
}
