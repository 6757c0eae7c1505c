internal import Engine
internal import FilterAPI

/// One worker's connections to one cluster: those in use, those kept for the next request, and who waits.
///
/// Lives on as long as a stream needs it, also when a reload has taken the cluster away.
final class ClusterPool {
    let id: ClusterID
    let name: FactName
    let chain: Chain
    let settings: ClusterSettings
    let worker: Worker
    private let codec: (any ClientCodec)?
    private var balancer: Balancer
    private var endpoints: [Endpoint] = []
    /// Set while no name of the cluster has been resolved.
    private var isUnresolved = false
    private var isRetired = false
    private(set) var connectionCount = 0
    private var connectingWaiters = 0
    // Streams that wait because the cluster may have no more connections.
    private var firstWaiting: HTTPStream?
    private var lastWaiting: HTTPStream?
    private var waitingCount = 0
    private lazy var idleTimer = IdleTimer(pool: self)
    private let connectTimeout: Nanoseconds
    private let idleTimeout: Nanoseconds
    let maxRequestsPerConnection: Int

    private final class IdleTimer: LoopTimer {
        unowned(unsafe) let pool: ClusterPool
        init(pool: ClusterPool) {
            unsafe self.pool = pool
            super.init()
        }
        override func fired() { unsafe pool.closeIdle() }
    }

    /// The idle connections of one endpoint, the one used last at the end.
    final class IdleList {
        var connections: [ClientConnection] = []
    }

    init(worker: Worker, id: ClusterID, name: String, settings: ClusterSettings, chain: Chain, seed: UInt64) {
        self.worker = worker
        self.id = id
        self.name = FactName(name)
        self.settings = settings
        self.chain = chain
        codec = chain.clientCodec
        balancer = Balancer(settings.balance, seed: seed)
        connectTimeout = settings.connectTimeout.wholeNanoseconds
        idleTimeout = settings.idleTimeout.wholeNanoseconds
        maxRequestsPerConnection = settings.maxRequestsPerConnection
    }

    // MARK: Endpoints

    /// The control thread has a new list.
    func update(_ list: EndpointList) {
        let before = endpoints
        endpoints = list.merged(into: endpoints)
        isUnresolved = list.isUnresolved
        balancer.update(to: endpoints)
        for gone in before where !endpoints.contains(where: { $0 === gone }) { dropIdle(of: gone) }
    }

    /// The cluster is no longer in the config: what runs goes on, nothing is kept.
    func retire() {
        isRetired = true
        for endpoint in endpoints { dropIdle(of: endpoint) }
        if idleTimer.isArmed { worker.loop.cancel(idleTimer) }
    }

    private func dropIdle(of endpoint: Endpoint) {
        guard let idle = endpoint.pool as? IdleList else { return }
        let connections = idle.connections
        idle.connections = []
        for connection in connections { connection.close() }
    }

    // MARK: Streams

    /// Finds a connection for a stream, now or later; or tells it why not.
    ///
    /// - Parameter fresh: not one that was kept alive.
    func connect(_ stream: HTTPStream, fresh: Bool = false) {
        unsafe stream.factsMemory.pointee.cluster = name
        guard let endpoint = balancer.pick(hash: stream.attachment.hash, avoiding: nil) else {
            let fault =
                isUnresolved
                ? Fault(.nameNotResolved, "upstream.name_not_resolved", replay: .always)
                : Fault(.noEndpoint, "upstream.no_endpoint", replay: .always)
            return stream.connectFailed(fault)
        }
        if !fresh, let connection = takeIdle(endpoint, for: stream) { return connection.serve(stream) }
        if connectionCount < settings.maxConnections || makeRoom() { return open(endpoint, for: stream) }
        wait(stream)
    }

    private func takeIdle(_ endpoint: Endpoint, for stream: HTTPStream) -> ClientConnection? {
        guard let holder = endpoint.pool else { return nil }
        let idle = unsafe unsafeDowncast(holder, to: IdleList.self)
        while let connection = idle.connections.popLast() {
            if connection.isStale || !isQuiet(connection, for: stream) {
                connection.close()
                continue
            }
            return connection
        }
        return nil
    }

    /// A request that must not be sent twice is not risked on a connection that the upstream has just closed: the
    /// kernel is asked once more. Others are simply tried again.
    private func isQuiet(_ connection: ClientConnection, for stream: HTTPStream) -> Bool {
        if unsafe stream.headMemory.pointee.method.isIdempotent, stream.flags.contains(.upstreamRequestEnded) {
            return true
        }
        return Syscalls.peek(connection.fd) == .quiet
    }

    /// Closes an idle connection to another endpoint where the cluster's limit is reached.
    private func makeRoom() -> Bool {
        for endpoint in endpoints {
            guard let idle = endpoint.pool as? IdleList, let oldest = idle.connections.first else { continue }
            oldest.close()
            return true
        }
        return false
    }

    private func open(_ endpoint: Endpoint, for stream: HTTPStream) {
        guard waitingCount + connectingWaiters < settings.maxPending, let codec else { return overflow(stream) }
        let connection = ClientConnection(worker: worker, pool: self, endpoint: endpoint, codec: codec)
        do throws(SystemFault) {
            try connection.start(timeout: connectTimeout)
        } catch {
            worker.counters.connectFailures.add()
            return stream.connectFailed(Fault(.connectFailed, ConnectReason.text(error.errno), replay: .always))
        }
        connectionCount += 1
        unsafe connection.waiter = stream
        unsafe stream.awaited = connection
        stream.isWaiting = true
        connectingWaiters += 1
    }

    private func wait(_ stream: HTTPStream) {
        guard waitingCount + connectingWaiters < settings.maxPending else { return overflow(stream) }
        stream.isWaiting = true
        unsafe stream.nextWaiting = nil
        unsafe stream.previousWaiting = lastWaiting
        if let last = lastWaiting { unsafe last.nextWaiting = stream } else { firstWaiting = stream }
        lastWaiting = stream
        waitingCount += 1
    }

    private func overflow(_ stream: HTTPStream) {
        worker.counters.overflows.add()
        stream.connectFailed(Fault(.overflow, "upstream.too_many_pending", replay: .always))
    }

    /// A stream that waits gives up.
    func stopWaiting(_ stream: HTTPStream) {
        guard stream.isWaiting else { return }
        stream.isWaiting = false
        if let connection = unsafe stream.awaited {
            // The connection is made all the same, and is there for the next.
            unsafe stream.awaited = nil
            unsafe connection.waiter = nil
            connectingWaiters -= 1
            return
        }
        unlink(stream)
    }

    private func unlink(_ stream: HTTPStream) {
        let next = unsafe stream.nextWaiting
        let previous = unsafe stream.previousWaiting
        if let previous { unsafe previous.nextWaiting = next } else { firstWaiting = next }
        if let next { unsafe next.previousWaiting = previous } else { lastWaiting = previous }
        unsafe stream.nextWaiting = nil
        unsafe stream.previousWaiting = nil
        waitingCount -= 1
    }

    /// The connection that a stream waited for has failed; the stream is told by the connection.
    func waiterLost() { connectingWaiters -= 1 }

    // MARK: Connections

    /// A connection was made, or has become free.
    func ready(_ connection: ClientConnection) {
        if let stream = unsafe connection.waiter {
            unsafe connection.waiter = nil
            unsafe stream.awaited = nil
            stream.isWaiting = false
            connectingWaiters -= 1
            return connection.serve(stream)
        }
        if let stream = firstWaiting {
            unlink(stream)
            stream.isWaiting = false
            return connection.serve(stream)
        }
        keep(connection)
    }

    private func keep(_ connection: ClientConnection) {
        guard !isRetired, idleTimeout > 0, endpoints.contains(where: { $0 === connection.endpoint }) else {
            return connection.close()
        }
        let idle: IdleList
        if let holder = connection.endpoint.pool {
            idle = unsafe unsafeDowncast(holder, to: IdleList.self)
        } else {
            idle = IdleList()
            connection.endpoint.pool = idle
        }
        connection.idleSince = worker.loop.now
        idle.connections.append(connection)
        if !idleTimer.isArmed { worker.loop.schedule(idleTimer, after: idleTimeout) }
    }

    /// A connection has gone, for whatever reason.
    func closed(_ connection: ClientConnection) {
        connectionCount -= 1
        if let idle = connection.endpoint.pool as? IdleList {
            idle.connections.removeAll { $0 === connection }
        }
        guard let stream = firstWaiting, connectionCount < settings.maxConnections else { return }
        unlink(stream)
        stream.isWaiting = false
        connect(stream)
    }

    private func closeIdle() {
        let now = worker.loop.now
        var next = Nanoseconds.max
        for endpoint in endpoints {
            guard let idle = endpoint.pool as? IdleList else { continue }
            for connection in idle.connections {
                let due = connection.idleSince + idleTimeout
                if due <= now { connection.close() } else { next = min(next, due) }
            }
        }
        if next != .max { worker.loop.schedule(idleTimer, after: next - now) }
    }

    // MARK: Raw bytes

    /// An endpoint for a connection that carries bytes only.
    func pickEndpoint(hash: UInt64?) throws(Fault) -> Endpoint {
        if let endpoint = balancer.pick(hash: hash, avoiding: nil) { return endpoint }
        throw isUnresolved
            ? Fault(.nameNotResolved, "upstream.name_not_resolved")
            : Fault(.noEndpoint, "upstream.no_endpoint")
    }

    var connectLimit: Nanoseconds { connectTimeout }
}
