internal import Engine
internal import FilterAPI

/// One worker's connections to one cluster: those in use, those kept for the next request, and who waits.
///
/// Lives on as long as a stream or a connection needs it, also when a reload has taken the cluster away.
///
/// A stream gets a connection that is kept, or waits for one that is made for it, or, where the limit is reached, stands
/// in the line. A connection that is made or gets free goes to whoever has waited longest for its endpoint, or to the
/// line; so a stream may be served by another connection than the one that was made for it.
final class ClusterPool {
    let id: ClusterID
    let name: FactName
    let chain: Chain
    let settings: ClusterSettings
    let limits: ClusterLimits
    let worker: Worker
    let stats: ClusterStats
    /// What all workers have of the cluster.
    let quota: ClusterQuota
    private let member: ClusterQuota.Member
    /// To the cluster's health checks, where it has any; see ``reportHealth(to:)``.
    var health: HealthLink?
    /// They wait to hear of the first request.
    var awaitsTraffic = false
    /// They want to know of answers that warn of their endpoint.
    var looksForRefusals = false
    private let codec: (any ClientCodec)?
    private var balancer: Balancer
    private(set) var endpoints: [Endpoint] = []
    /// Set while no name of the cluster has been resolved.
    private var isUnresolved = false
    /// Nobody knows yet where requests go: they wait in the line.
    private var awaitsNames = false
    private(set) var isRetired = false
    /// How many connections are kept without a request.
    var idleCount = 0 {
        didSet { member.idleCount = idleCount }
    }
    /// Whether streams wait because the cluster may have no more connections.
    var hasLine: Bool { !line.isEmpty }
    /// Streams that wait because the cluster may have no more connections.
    private var line = StreamLine()
    private let connectTimeout: Nanoseconds
    let idleTimeout: Nanoseconds
    let maxRequestsPerConnection: Int
    /// Whether connections may turn out to be shared by many streams.
    let mayShare: Bool
    /// For its sockets; nil where upstreams are not probed.
    let keepAlive: SocketOption?
    private lazy var lineTimer = CallbackTimer { [unowned self] in self.serveLine() }
    private(set) lazy var idleTimer = CallbackTimer { [unowned self] in self.closeIdle() }

    init(worker: Worker, id: ClusterID, plan: ClusterPlan, chain: Chain, quota: ClusterQuota, seed: UInt64) {
        let settings = plan.settings
        self.worker = worker
        stats = ClusterStats(worker.registry, cluster: plan.name, worker: worker.index)
        self.id = id
        self.quota = quota
        self.settings = settings
        self.chain = chain
        name = FactName(plan.name)
        limits = plan.limits
        codec = chain.clientCodec
        mayShare = plan.chain.applicationProtocols.contains("h2")
        balancer = Balancer(
            settings.balance, seed: seed, tableSize: settings.maglevTableSize,
            decay: settings.ewmaDecay.wholeNanoseconds)
        connectTimeout = settings.connectTimeout.wholeNanoseconds
        idleTimeout = settings.idleTimeout.wholeNanoseconds
        maxRequestsPerConnection = settings.maxRequestsPerConnection
        keepAlive = TCPKeepalive.option(settings.tcpKeepalive)
        member = ClusterQuota.Member(on: worker.loop.poster)
        unsafe member.pool = self
        quota.join(member)
    }

    deinit { quota.leave(member) }

    // MARK: Endpoints

    /// The control thread has a new list.
    func update(_ list: EndpointList) {
        let before = endpoints
        endpoints = list.merged(into: before)
        for (endpoint, entry) in zip(endpoints, list.entries) {
            endpoint.note(in: entry.record, worker: worker.index)
            endpoint.count(in: entry.stats, worker: worker.index)
        }
        isUnresolved = list.isUnresolved
        balancer.update(to: endpoints, levels: list.levels)
        for gone in before where !gone.isListed { dropUnused(of: gone) }
        if awaitsNames != list.awaitsNames {
            awaitsNames = list.awaitsNames
            serveLineSoon()
        }
    }

    /// The cluster is no longer in the config: what runs goes on, nothing is kept.
    func retire() {
        isRetired = true
        // It hears of no names any more.
        awaitsNames = false
        serveLineSoon()
        for endpoint in endpoints { dropUnused(of: endpoint) }
        if idleTimer.isArmed { worker.loop.cancel(idleTimer) }
    }

    // MARK: Streams

    /// Finds a connection for a stream, now or later; or tells it why not.
    ///
    /// - Parameter fresh: not one that was kept alive.
    func connect(_ stream: HTTPStream, fresh: Bool = false) {
        if awaitsTraffic { noteTraffic() }
        guard count(stream) else { return }
        // Room that has just become free belongs to those who have waited for it.
        if !line.isEmpty { return wait(stream) }
        place(stream, fresh: fresh)
    }

    /// Counts a request, until it has its answer or gives up; see ``HTTPStream/leaveCluster()``.
    private func count(_ stream: HTTPStream) -> Bool {
        if stream.flags.contains(.counted) { return true }
        guard quota.requests.take(limit: limits.requests.value) else {
            stats.cluster.add(.rqActiveOverflow)
            refuse(stream, limits.requests, "upstream.too_many_requests")
            return false
        }
        stream.flags.insert(.counted)
        guard let retries = limits.retries, stream.flags.contains(.replayed) else { return true }
        guard stream.flags.contains(.claimedRetry) || claimRetry(retries) else {
            refuse(stream, retries, "upstream.too_many_retries")
            return false
        }
        stream.flags.remove(.claimedRetry)
        stream.flags.insert(.countedRetry)
        return true
    }

    /// Takes a place among the further tries.
    func claimRetry(_ limit: ClusterLimits.Limit) -> Bool {
        if quota.retries.take(limit: limit.value) { return true }
        stats.cluster.add(.rqRetryOverflow)
        return false
    }

    /// - Parameter isPending: whether the stream has a place among those that wait already.
    func place(_ stream: HTTPStream, fresh: Bool, isPending: Bool = false) {
        if awaitsNames { return awaitNames(stream) }
        let endpoint: Endpoint
        do throws(Fault) { endpoint = try pick(for: stream) } catch {
            if isPending { givePending() }
            return stream.connectFailed(error)
        }
        if !fresh, let connection = takeShared(endpoint) ?? takeIdle(endpoint, for: stream) {
            if isPending { givePending() }
            return serve(stream, on: connection)
        }
        guard isPending || takePending(stream) else { return }
        if let connection = endpoint.spare.popLast() { return expect(connection, for: stream) }
        if let connection = unsafe endpoint.making, connection.passengers < Self.mostPassengers {
            return board(connection, stream)
        }
        if takeConnection() { return open(endpoint, for: stream) }
        stand(stream)
    }

    /// Room for one more connection, made where there is none by closing one that nobody uses.
    private func takeConnection() -> Bool {
        let limit = limits.connections.value
        if quota.connections.take(limit: limit) || makeRoom() && quota.connections.take(limit: limit) { return true }
        stats.cluster.add(.cxOverflow)
        return false
    }

    private func takePending(_ stream: HTTPStream) -> Bool {
        if quota.pending.take(limit: limits.pending.value) {
            stats.cluster.add(.rqPendingTotal)
            stats.cluster.add(.rqPendingActive)
            return true
        }
        stats.cluster.add(.rqPendingOverflow)
        refuse(stream, limits.pending, "upstream.too_many_pending")
        return false
    }

    private func refuse(_ stream: HTTPStream, _ limit: ClusterLimits.Limit, _ reason: StaticString) {
        unsafe stream.factsMemory.pointee.limit = limit.reached
        stream.connectFailed(Fault(.overflow, reason, replay: .always))
    }

    /// An endpoint that the stream's filters accept; not one of its earlier tries, if there is another.
    private func pick(for stream: HTTPStream) throws(Fault) -> Endpoint {
        let hash = stream.attachment.hash
        let isFirst = !stream.flags.contains(.replayed)
        guard var endpoint = balancer.pick(hash: hash, avoiding: isFirst ? [] : stream.triedEndpoints) else {
            throw noEndpoint
        }
        stream.take(endpoint)
        guard stream.asksForEndpoints else { return endpoint }
        var refused = stream.triedEndpoints
        while try !stream.accepts(endpoint) {
            refused.append(endpoint)
            guard refused.count < endpoints.count + stream.triedEndpoints.count,
                let next = balancer.pick(hash: hash, avoiding: refused), !refused.contains(where: { $0 === next })
            else { throw Fault(.overflow, "upstream.endpoints_refused", replay: .always) }
            endpoint = next
            stream.take(endpoint)
        }
        return endpoint
    }

    private var noEndpoint: Fault {
        stats.cluster.add(.cxNoneHealthy)
        return isUnresolved
            ? Fault(.nameNotResolved, "upstream.name_not_resolved", replay: .always)
            : Fault(.noEndpoint, "upstream.no_endpoint", replay: .always)
    }

    private func open(_ endpoint: Endpoint, for stream: HTTPStream) {
        guard let codec else {
            givePending()
            roomMade()
            return stream.connectFailed(Fault(.noCluster, "chain.no_client_codec"))
        }
        let connection = ClientConnection(worker: worker, pool: self, endpoint: endpoint, codec: codec)
        do throws(SystemFault) {
            try connection.start(timeout: connectTimeout)
        } catch {
            connectFailed(endpoint)
            if ConnectReason.blames(error.errno) { endpoint.outcomes?.note(.localFailure) }
            endpoint.failedToAnswer(in: connectTimeout, at: worker.loop.now)
            givePending()
            roomMade()
            return stream.connectFailed(Fault(.connectFailed, ConnectReason.text(error.errno), replay: .always))
        }
        if mayShare, !endpoint.speaksHTTP1 { unsafe endpoint.making = connection }
        expect(connection, for: stream)
    }

    private func expect(_ connection: ClientConnection, for stream: HTTPStream) {
        unsafe connection.waiter = stream
        unsafe stream.awaited = connection
        stream.isWaiting = true
        connection.endpoint.waiting.append(stream)
    }

    /// The first lookup ends within its own time, and takes the stream out of the line.
    private func awaitNames(_ stream: HTTPStream) {
        guard takePending(stream) else { return }
        stream.isWaiting = true
        line.append(stream)
        quota.change(member, isWaiting: true)
    }

    private func wait(_ stream: HTTPStream) { if takePending(stream) { stand(stream) } }

    /// Puts a stream that has a place among those that wait into the line.
    private func stand(_ stream: HTTPStream) {
        stream.isWaiting = true
        line.append(stream)
        quota.change(member, isWaiting: true)
        quota.askForRoom(member)
        // What has gone in the meantime has not seen that somebody waits.
        if quota.connections.count < limits.connections.value { serveLineSoon() }
    }

    /// A stream that waits gives up.
    func stopWaiting(_ stream: HTTPStream) {
        guard stream.isWaiting else { return }
        stats.cluster.add(.rqCancelled)
        guard let connection = unsafe stream.awaited else {
            leaveLine(stream)
            return givePending()
        }
        // The connection is made all the same, and is there for the next.
        part(stream, connection)
        if unsafe connection.waiter == nil, connection.passengers == 0 { connection.endpoint.spare.append(connection) }
    }

    /// The connection that a stream waits for has failed.
    ///
    /// - Returns: the stream, to be told.
    func takeWaiter(of connection: ClientConnection) -> HTTPStream? {
        guard let stream = unsafe connection.waiter ?? passenger(of: connection) else { return nil }
        part(stream, connection)
        return stream
    }

    func part(_ stream: HTTPStream, _ connection: ClientConnection) {
        if unsafe connection.waiter === stream { unsafe connection.waiter = nil } else { connection.passengers -= 1 }
        unsafe stream.awaited = nil
        stream.isWaiting = false
        connection.endpoint.waiting.remove(stream)
        givePending()
    }

    /// A stream waits no more.
    func givePending() {
        quota.pending.give()
        stats.cluster.add(.rqPendingActive, -1)
    }

    // MARK: The line

    private func leaveLine(_ stream: HTTPStream) {
        stream.isWaiting = false
        line.remove(stream)
        if line.isEmpty { quota.change(member, isWaiting: false) }
    }

    /// Makes connections for those in the line, as many as there is room for.
    func serveLine() {
        if awaitsNames { return }
        while let stream = unsafe line.first, quota.connections.count < limits.connections.value || idleCount > 0 {
            leaveLine(stream)
            place(stream, fresh: false, isPending: true)
        }
    }

    /// Later in this turn, as whoever closes a connection may be in the middle of things.
    private func serveLineSoon() {
        if !line.isEmpty, !lineTimer.isArmed { worker.loop.schedule(lineTimer, after: 0) }
    }

    // MARK: Connections

    /// A connection is being made.
    func began(with endpoint: Endpoint) {
        stats.cluster.add(.cxTotal)
        stats.cluster.add(.cxActive)
        endpoint.stats.add(.cxTotal)
        endpoint.stats.add(.cxActive)
    }

    /// A connection is made, and secured where it is to be.
    func made(_ facts: ConnectionFacts, since begun: Nanoseconds) {
        stats.connectTime.record(worker.loop.now - begun)
        if let tls = facts.tls { stats.tls.secured(tls) }
    }

    /// A connection could not be made.
    func connectFailed(_ endpoint: Endpoint) {
        stats.cluster.add(.cxConnectFail)
        endpoint.stats.add(.cxConnectFail)
    }

    /// A connection ends that was begun.
    func ended(_ connection: Connection, _ endpoint: Endpoint, isBusy: Bool) {
        let isRemote = connection.isEndedByPeer
        stats.cluster.add(.cxActive, -1)
        endpoint.stats.add(.cxActive, -1)
        stats.cluster.add(.cxDestroy)
        stats.cluster.add(isRemote ? .cxDestroyRemote : .cxDestroyLocal)
        if isBusy {
            stats.cluster.add(.cxDestroyActiveRq)
            stats.cluster.add(isRemote ? .cxDestroyRemoteActiveRq : .cxDestroyLocalActiveRq)
        }
        stats.length.record(worker.loop.now - connection.begun)
    }

    /// A connection was made, or has become free.
    func ready(_ connection: ClientConnection) {
        let endpoint = connection.endpoint
        if connection.isShared { return settle(connection, isNew: true) }
        if unsafe endpoint.making === connection { unsafe endpoint.making = nil }
        if mayShare {
            endpoint.speaksHTTP1 = true
            release(passengersOf: connection)
        }
        if unsafe connection.waiter == nil {
            if !endpoint.spare.isEmpty { endpoint.spare.removeAll { $0 === connection } }
            guard endpoint.isListed else { return connection.close() }
            if let stream = takeFirstInLine(for: endpoint) { return connection.serve(stream) }
        }
        if let stream = takeFirstWaiting(for: connection) { return connection.serve(stream) }
        keep(connection)
    }

    /// Takes the stream that has waited longest in the line, unless its filters refuse the endpoint: then it is picked
    /// another one, later in this turn.
    func takeFirstInLine(for endpoint: Endpoint) -> HTTPStream? {
        while let stream = unsafe line.first {
            var fault: Fault?
            if stream.asksForEndpoints {
                stream.take(endpoint)
                do throws(Fault) {
                    guard try stream.accepts(endpoint) else {
                        serveLineSoon()
                        return nil
                    }
                } catch {
                    fault = error
                }
            }
            leaveLine(stream)
            givePending()
            guard let fault else { return stream }
            stream.connectFailed(fault)
        }
        return nil
    }

    /// Takes the stream that has waited longest for the connection's endpoint. What was being made for it goes to the
    /// one that this connection was made for, if there is one.
    private func takeFirstWaiting(for connection: ClientConnection) -> HTTPStream? {
        guard let stream = unsafe connection.endpoint.waiting.first, let expected = unsafe stream.awaited else {
            return nil
        }
        let second = unsafe connection.waiter
        part(stream, expected)
        guard expected !== connection else { return stream }
        unsafe connection.waiter = nil
        unsafe expected.waiter = second
        if let second { unsafe second.awaited = expected } else { connection.endpoint.spare.append(expected) }
        return stream
    }

    /// A connection has gone, for whatever reason, or could not be made.
    func roomMade() {
        quota.connections.give()
        if line.isEmpty { quota.roomMade(by: member) } else { serveLineSoon() }
    }

    // MARK: Raw bytes

    /// An endpoint for a connection that carries bytes only, which is counted from now on until ``roomMade()``.
    func pickEndpoint(hash: UInt64?) throws(Fault) -> Endpoint {
        if awaitsTraffic { noteTraffic() }
        guard takeConnection() else {
            stats.cluster.add(.cxOverflow)
            throw Fault(.overflow, "upstream.too_many_connections", replay: .always)
        }
        if let endpoint = balancer.pick(hash: hash, avoiding: []) { return endpoint }
        roomMade()
        throw noEndpoint
    }

    var connectLimit: Nanoseconds { connectTimeout }
}
