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
    let worker: Worker
    private let codec: (any ClientCodec)?
    private var balancer: Balancer
    private(set) var endpoints: [Endpoint] = []
    /// Set while no name of the cluster has been resolved.
    private var isUnresolved = false
    private(set) var isRetired = false
    /// Connections that are made or being made.
    private(set) var connectionCount = 0
    /// How many of them are kept without a request.
    var idleCount = 0
    /// Streams that wait because the cluster may have no more connections.
    private var line = StreamLine()
    /// Streams that wait for a connection that is being made, over all endpoints.
    private var connectingCount = 0
    private let connectTimeout: Nanoseconds
    let idleTimeout: Nanoseconds
    let maxRequestsPerConnection: Int
    /// For its sockets; nil where upstreams are not probed.
    let keepAlive: SocketOption?
    private lazy var lineTimer = CallbackTimer { [unowned self] in self.serveLine() }
    private(set) lazy var idleTimer = CallbackTimer { [unowned self] in self.closeIdle() }

    init(worker: Worker, id: ClusterID, name: String, settings: ClusterSettings, chain: Chain, seed: UInt64) {
        self.worker = worker
        self.id = id
        self.name = FactName(name)
        self.settings = settings
        self.chain = chain
        codec = chain.clientCodec
        balancer = Balancer(
            settings.balance, seed: seed, tableSize: settings.maglevTableSize,
            decay: settings.ewmaDecay.wholeNanoseconds)
        connectTimeout = settings.connectTimeout.wholeNanoseconds
        idleTimeout = settings.idleTimeout.wholeNanoseconds
        maxRequestsPerConnection = settings.maxRequestsPerConnection
        keepAlive = TCPKeepalive.option(settings.tcpKeepalive)
    }

    // MARK: Endpoints

    /// The control thread has a new list.
    func update(_ list: EndpointList) {
        let before = endpoints
        endpoints = list.merged(into: before)
        isUnresolved = list.isUnresolved
        balancer.update(to: endpoints, levels: list.levels)
        for gone in before where !gone.isListed { dropUnused(of: gone) }
    }

    /// The cluster is no longer in the config: what runs goes on, nothing is kept.
    func retire() {
        isRetired = true
        for endpoint in endpoints { dropUnused(of: endpoint) }
        if idleTimer.isArmed { worker.loop.cancel(idleTimer) }
    }

    // MARK: Streams

    /// Finds a connection for a stream, now or later; or tells it why not.
    ///
    /// - Parameter fresh: not one that was kept alive.
    func connect(_ stream: HTTPStream, fresh: Bool = false) {
        // Room that has just become free belongs to those who have waited for it.
        if !line.isEmpty { return wait(stream) }
        place(stream, fresh: fresh)
    }

    private func place(_ stream: HTTPStream, fresh: Bool) {
        let endpoint: Endpoint
        do throws(Fault) { endpoint = try pick(for: stream) } catch { return stream.connectFailed(error) }
        if !fresh, let connection = takeIdle(endpoint, for: stream) { return connection.serve(stream) }
        guard mayWait else { return overflow(stream) }
        if let connection = endpoint.spare.popLast() { return expect(connection, for: stream) }
        if connectionCount < settings.maxConnections || makeRoom() { return open(endpoint, for: stream) }
        wait(stream)
    }

    /// An endpoint that the stream's filters accept; not one of its earlier tries, if there is another.
    private func pick(for stream: HTTPStream) throws(Fault) -> Endpoint {
        let hash = stream.attachment.hash
        guard var endpoint = balancer.pick(hash: hash, avoiding: stream.triedEndpoints) else { throw noEndpoint }
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
        isUnresolved
            ? Fault(.nameNotResolved, "upstream.name_not_resolved", replay: .always)
            : Fault(.noEndpoint, "upstream.no_endpoint", replay: .always)
    }

    private var mayWait: Bool { line.count + connectingCount < settings.maxPending }

    private func open(_ endpoint: Endpoint, for stream: HTTPStream) {
        guard let codec else { return stream.connectFailed(Fault(.noCluster, "chain.no_client_codec")) }
        let connection = ClientConnection(worker: worker, pool: self, endpoint: endpoint, codec: codec)
        do throws(SystemFault) {
            try connection.start(timeout: connectTimeout)
        } catch {
            worker.counters.connectFailures.add()
            endpoint.failedToAnswer(in: connectTimeout, at: worker.loop.now)
            return stream.connectFailed(Fault(.connectFailed, ConnectReason.text(error.errno), replay: .always))
        }
        connectionCount += 1
        expect(connection, for: stream)
    }

    private func expect(_ connection: ClientConnection, for stream: HTTPStream) {
        unsafe connection.waiter = stream
        unsafe stream.awaited = connection
        stream.isWaiting = true
        connection.endpoint.waiting.append(stream)
        connectingCount += 1
    }

    private func wait(_ stream: HTTPStream) {
        guard mayWait else { return overflow(stream) }
        stream.isWaiting = true
        line.append(stream)
    }

    private func overflow(_ stream: HTTPStream) {
        worker.counters.overflows.add()
        stream.connectFailed(Fault(.overflow, "upstream.too_many_pending", replay: .always))
    }

    /// A stream that waits gives up.
    func stopWaiting(_ stream: HTTPStream) {
        guard stream.isWaiting else { return }
        guard let connection = unsafe stream.awaited else { return leaveLine(stream) }
        // The connection is made all the same, and is there for the next.
        part(stream, connection)
        connection.endpoint.spare.append(connection)
    }

    /// The connection that a stream waits for has failed.
    ///
    /// - Returns: the stream, to be told.
    func takeWaiter(of connection: ClientConnection) -> HTTPStream? {
        guard let stream = unsafe connection.waiter else { return nil }
        part(stream, connection)
        return stream
    }

    private func part(_ stream: HTTPStream, _ connection: ClientConnection) {
        unsafe connection.waiter = nil
        unsafe stream.awaited = nil
        stream.isWaiting = false
        connection.endpoint.waiting.remove(stream)
        connectingCount -= 1
    }

    // MARK: The line

    private func leaveLine(_ stream: HTTPStream) {
        stream.isWaiting = false
        line.remove(stream)
    }

    /// Makes connections for those in the line, as many as there is room for.
    private func serveLine() {
        while let stream = unsafe line.first, connectionCount < settings.maxConnections || idleCount > 0 {
            leaveLine(stream)
            place(stream, fresh: false)
        }
    }

    // MARK: Connections

    /// A connection was made, or has become free.
    func ready(_ connection: ClientConnection) {
        let endpoint = connection.endpoint
        if unsafe connection.waiter == nil {
            if !endpoint.spare.isEmpty { endpoint.spare.removeAll { $0 === connection } }
            guard endpoint.isListed else { return connection.close() }
            if let stream = unsafe line.first, !stream.asksForEndpoints {
                leaveLine(stream)
                return connection.serve(stream)
            }
        }
        if let stream = takeFirstWaiting(for: connection) { return connection.serve(stream) }
        keep(connection)
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

    /// A connection has gone, for whatever reason.
    func closed(_ connection: ClientConnection) {
        forget(connection)
        roomMade()
    }

    /// Those in the line are seen to later in this turn, as whoever closes a connection may be in the middle of things.
    private func roomMade() {
        connectionCount -= 1
        if !line.isEmpty, !lineTimer.isArmed { worker.loop.schedule(lineTimer, after: 0) }
    }

    // MARK: Raw bytes

    /// An endpoint for a connection that carries bytes only.
    func pickEndpoint(hash: UInt64?) throws(Fault) -> Endpoint {
        guard connectionCount < settings.maxConnections || makeRoom() else {
            worker.counters.overflows.add()
            throw Fault(.overflow, "upstream.too_many_connections", replay: .always)
        }
        if let endpoint = balancer.pick(hash: hash, avoiding: []) { return endpoint }
        throw noEndpoint
    }

    /// A connection that carries bytes only is being made.
    func rawOpened() { connectionCount += 1 }

    /// A connection that carried bytes only has gone.
    func rawClosed() { roomMade() }

    var connectLimit: Nanoseconds { connectTimeout }
}
