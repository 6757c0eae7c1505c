internal import Engine
internal import FilterAPI

/// One worker's share of a listener: its sockets, its chain, and the connections that came in through it.
final class Listener {
    let worker: Worker
    private(set) var plan: ListenerPlan
    private(set) var chain: Chain
    private(set) var accessLog: AccessLog?
    private var acceptors: [Acceptor] = []
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var nextID: UInt64
    /// How long a client may take nothing of its last bytes; 0 for no limit.
    var flushLimit: Nanoseconds { plan.settings.flushTimeout.wholeNanoseconds }
    /// What may wait for a client before its source stands still.
    var bufferLimit: ByteSize { plan.settings.bufferLimit }

    init(worker: Worker, plan: ListenerPlan, chain: Chain, accessLog: AccessLog?) {
        self.worker = worker
        self.plan = plan
        self.chain = chain
        self.accessLog = accessLog
        nextID = UInt64(worker.index) << 48
    }

    /// Takes over a new plan. Sockets whose address stays are kept; connections of an old chain finish on it.
    func change(_ plan: ListenerPlan, chain: Chain, sockets: [BoundSocket], accessLog: AccessLog?) {
        let isNewChain = self.chain !== chain
        self.plan = plan
        self.chain = chain
        self.accessLog?.flush()
        self.accessLog = accessLog
        keepAcceptors(at: plan.addresses)
        for acceptor in acceptors { acceptor.tune() }
        for socket in sockets {
            let acceptor = Acceptor(listener: self, socket: socket)
            acceptor.start()
            acceptors.append(acceptor)
        }
        if isNewChain { drainConnections() }
    }

    /// Stops accepting at all other addresses.
    func keepAcceptors(at addresses: [SocketAddress]) {
        for acceptor in acceptors where !addresses.contains(acceptor.asked) { acceptor.stop() }
        acceptors.removeAll { !addresses.contains($0.asked) }
    }

    /// Stops accepting; connections finish what they are at.
    func stop() {
        for acceptor in acceptors { acceptor.stop() }
        acceptors = []
        drainConnections()
    }

    /// The process ends: what its connections are at is cut off.
    func abort() {
        for connection in connections.values {
            (connection as? ServerConnection)?.abort()
            (connection as? TCPConnection)?.abort()
        }
        accessLog?.flush()
    }

    var hasConnections: Bool { !connections.isEmpty }

    private func drainConnections() {
        for connection in connections.values { (connection as? ServerConnection)?.drain() }
    }

    /// A client has come.
    func accept(fd: Int32, peer: SocketAddress, local: SocketAddress) {
        let worker = worker
        guard !isFull, worker.admit() else {
            worker.counters.connectionsRefused.add()
            Syscalls.close(fd)
            return
        }
        worker.counters.connections.add()
        let connection = makeConnection()
        nextID += 1
        connection.facts.fill(peer: peer, local: local, listener: plan.name, id: nextID)
        connections[ObjectIdentifier(connection)] = connection
        do throws(SystemFault) {
            try worker.loop.register(connection, fd: fd)
        } catch {
            worker.counters.acceptFailures.add()
            Syscalls.close(fd)
            return connection.close()
        }
        (connection as? ServerConnection)?.start()
        (connection as? TCPConnection)?.start()
    }

    private var isFull: Bool {
        let limit = plan.settings.maxConnections
        return limit > 0 && connections.count >= limit
    }

    private func makeConnection() -> Connection {
        if let codec = chain.serverCodec {
            return ServerConnection(worker: worker, listener: self, chain: chain, codec: codec)
        }
        return TCPConnection(worker: worker, listener: self, chain: chain)
    }

    func connectionClosed(_ connection: Connection) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        worker.connectionGone()
        for acceptor in acceptors { acceptor.resume() }
    }
}

extension ConnectionFacts {
    func fill(peer: SocketAddress, local: SocketAddress, listener: String, id: UInt64) {
        remoteAddress = peer.description
        remoteIP = peer.family == .unix ? "" : peer.ipText
        localAddress = local.description
        self.listener = listener
        self.id = id
    }
}
