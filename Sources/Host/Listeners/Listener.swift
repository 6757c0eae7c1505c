internal import Engine
internal import FilterAPI

/// One worker's share of a listener: its sockets, its chains, and the connections that came in through it.
final class Listener {
    let worker: Worker
    let stats: ListenerStats
    private(set) var plan: ListenerPlan
    private(set) var chains: ChainList
    private(set) var accessLog: AccessLog?
    private var acceptors: [Acceptor] = []
    private var connections: [ObjectIdentifier: Connection] = [:]
    /// Clients whose first bytes say which chain they get.
    private var waiting: [ObjectIdentifier: WaitingClient] = [:]
    private(set) var isStopped = false
    /// It still accepts, and asks each client to go elsewhere with its next request.
    private(set) var isLeaving = false
    private lazy var leaveTimer = CallbackTimer { [unowned self] in self.delayIsOver() }
    private static let noChain = Fault(.misdirected, "listener.no_chain")
    /// How long a client may take nothing of its last bytes; 0 for no limit.
    var flushLimit: Nanoseconds { plan.settings.flushTimeout.wholeNanoseconds }
    /// What may wait for a client before its source stands still.
    var bufferLimit: ByteSize { plan.settings.bufferLimit }
    /// How long a client may take until it is known which chain it gets.
    var matchLimit: Nanoseconds { plan.settings.matchTimeout.wholeNanoseconds }

    init(worker: Worker, plan: ListenerPlan, chains: ChainList, accessLog: AccessLog?) {
        self.worker = worker
        stats = ListenerStats(worker.registry, listener: plan.name, worker: worker.index)
        self.plan = plan
        self.chains = chains
        self.accessLog = accessLog
    }

    /// Takes over a new plan. Sockets whose address stays are kept; connections of an old chain finish on it; who
    /// waits for a chain gets a new one.
    func change(_ plan: ListenerPlan, chains: ChainList, sockets: [BoundSocket], accessLog: AccessLog?) {
        let isNew = self.chains !== chains
        self.plan = plan
        self.chains = chains
        self.accessLog?.flush()
        self.accessLog = accessLog
        keepAcceptors(at: plan.addresses)
        for acceptor in acceptors { acceptor.tune() }
        for socket in sockets {
            let acceptor = Acceptor(listener: self, socket: socket)
            acceptor.start()
            acceptors.append(acceptor)
        }
        guard isNew else { return }
        dismissConnections()
        for client in Array(waiting.values) { client.chooseAgain() }
    }

    /// Stops accepting at all other addresses.
    func keepAcceptors(at addresses: [SocketAddress]) {
        for acceptor in acceptors where !addresses.contains(acceptor.asked) { acceptor.stop() }
        acceptors.removeAll { !addresses.contains($0.asked) }
    }

    /// Stops accepting after the delay of its settings. Until then whoever asks is answered, and told to come back on
    /// another connection, which goes elsewhere once it is known that nobody should come here.
    func leave() {
        let delay = plan.settings.drainDelay.wholeNanoseconds
        guard delay > 0, !isStopped else { return stop() }
        isLeaving = true
        if leaveTimer.isArmed { worker.loop.cancel(leaveTimer) }
        dismissConnections()
    }

    private func delayIsOver() {
        if isLeaving {
            stop()
            return worker.lookWhatIsLeft()
        }
        for connection in connections.values {
            if let connection = connection as? ServerConnection, connection.isLeaving { connection.drain() }
        }
    }

    /// The connections that are there are to end: now if they are idle, or where the listener has a delay, with the
    /// answer to their next request, and at its end at the latest.
    private func dismissConnections() {
        let delay = plan.settings.drainDelay.wholeNanoseconds
        guard delay > 0 else { return drainConnections() }
        for connection in connections.values { (connection as? ServerConnection)?.leaveAfterRequest() }
        // Reloads in a row put nothing off.
        if !leaveTimer.isArmed { worker.loop.schedule(leaveTimer, after: delay) }
    }

    /// Stops accepting; connections finish what they are at.
    func stop() {
        if leaveTimer.isArmed { worker.loop.cancel(leaveTimer) }
        for acceptor in acceptors { acceptor.stop() }
        acceptors = []
        isStopped = true
        for client in Array(waiting.values) { client.drain() }
        drainConnections()
    }

    /// The process ends: what its connections are at is cut off.
    func abort() {
        for client in Array(waiting.values) { client.close() }
        for connection in connections.values {
            (connection as? ServerConnection)?.abort()
            (connection as? TCPConnection)?.abort()
        }
        accessLog?.flush()
    }

    var hasConnections: Bool { !connections.isEmpty || !waiting.isEmpty }
    var isInbound: Bool { !plan.isAdmin && plan.settings.direction == .inbound }
    /// Whether it accepts no more, and all that it had accepted is over.
    var hasLeft: Bool { isStopped && !hasConnections }

    private func drainConnections() {
        for connection in connections.values { (connection as? ServerConnection)?.drain() }
    }

    /// A client has come.
    func accept(fd: Int32, peer: SocketAddress, local: SocketAddress) {
        stats.listener.add(.cxTotal)
        guard !isFull else { return refuse(fd, .cxOverflow) }
        guard plan.isAdmin || worker.admit() else { return refuse(fd, .globalCxOverflow) }
        stats.listener.add(.cxActive)
        let arrival = Arrival(fd: fd, peer: peer, local: local)
        if let only = chains.only { return begin(arrival, only) }
        choose(for: arrival)
    }

    private func refuse(_ fd: Int32, _ reason: ListenerStat) {
        stats.listener.add(reason)
        stats.listener.add(.cxDestroy)
        Syscalls.close(fd)
    }

    /// Gives a client its chain, or lets it wait until its first bytes say which.
    private func choose(for arrival: Arrival) {
        var arrival = arrival
        // At a socket for all addresses only the kernel knows which of them it was.
        if chains.readsDestination, let real = Syscalls.localAddress(arrival.fd) { arrival.local = real }
        switch chains.choose(peer: arrival.peer, local: arrival.local) {
        case .chain(let chain): begin(arrival, chain)
        case .firstBytes: wait(for: arrival)
        case .none:
            noChainFits()
            Syscalls.close(arrival.fd)
            arrivalGone()
        }
    }

    private func wait(for arrival: Arrival) {
        let client = WaitingClient(arrival, listener: self)
        do throws(SystemFault) { try client.start() } catch {
            stats.listener.add(.acceptFailed)
            Syscalls.close(arrival.fd)
            return arrivalGone()
        }
        waiting[ObjectIdentifier(client)] = client
        stats.listener.add(.preCxActive)
    }

    func waitingEnded(_ client: WaitingClient) {
        guard waiting.removeValue(forKey: ObjectIdentifier(client)) != nil else { return }
        stats.listener.add(.preCxActive, -1)
    }

    /// Counts a client that is closed because no chain is for it.
    func noChainFits() {
        worker.count(Self.noChain)
        stats.listener.add(.noFilterChainMatch)
    }

    /// A client was closed that never became a connection.
    func arrivalGone() {
        stats.listener.add(.cxActive, -1)
        stats.listener.add(.cxDestroy)
        if !plan.isAdmin { worker.connectionGone() }
        for acceptor in acceptors { acceptor.resume() }
    }

    /// Makes a connection of a client, with what it has said already.
    func begin(_ arrival: Arrival, _ chain: Chain, serverName: String? = nil, read bytes: [UInt8] = []) {
        let connection = makeConnection(chain)
        connection.facts.fill(peer: arrival.peer, local: arrival.local, listener: plan.name, worker)
        connection.facts.chainName = chain.plan.name
        connection.facts.serverName = serverName
        connection.bytesReceived = bytes.count
        connections[ObjectIdentifier(connection)] = connection
        do throws(SystemFault) {
            try worker.loop.register(connection, fd: arrival.fd)
        } catch {
            stats.listener.add(.acceptFailed)
            Syscalls.close(arrival.fd)
            return connection.close()
        }
        (connection as? ServerConnection)?.start()
        (connection as? TCPConnection)?.start()
        if isLeaving { (connection as? ServerConnection)?.leaveAfterRequest() }
        if bytes.isEmpty { return }
        // SAFETY: the array outlives the span, and has no padding.
        unsafe connection.takeEarlyBytes(bytes.span.bytes)
        if isStopped { (connection as? ServerConnection)?.drain() }
    }

    private var isFull: Bool {
        let limit = plan.settings.maxConnections
        return limit > 0 && connections.count + waiting.count >= limit
    }

    private func makeConnection(_ chain: Chain) -> Connection {
        if let codec = chain.serverCodec {
            return ServerConnection(worker: worker, listener: self, chain: chain, codec: codec)
        }
        return TCPConnection(worker: worker, listener: self, chain: chain)
    }

    func connectionClosed(_ connection: Connection) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        stats.length.record(worker.loop.now - connection.begun)
        arrivalGone()
        if isStopped, !hasConnections { worker.listenerLeft(self) }
    }
}

extension ConnectionFacts {
    func fill(peer: SocketAddress, local: SocketAddress, listener: String, _ worker: Worker) {
        remoteAddress = peer.description
        remoteIP = peer.family == .unix ? "" : peer.ipText
        localAddress = local.description
        self.listener = listener
        id = worker.nextConnectionID()
        start = worker.instant
    }
}
