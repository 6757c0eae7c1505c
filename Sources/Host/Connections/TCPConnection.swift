internal import Engine
internal import FilterAPI

/// A client's connection whose chain ends in a byte terminal: bytes go to a cluster and back.
///
/// Both directions end independently: the end of one is passed on as the end of our writing to the other side.
final class TCPConnection: Connection {
    let listener: Listener
    private var upstream: RawClientConnection?
    private var idleLimit: Nanoseconds = 0
    private var lastActivity: Nanoseconds = 0
    private var responseEnded = false
    private var requestEnded = false
    private lazy var idleTimer = IdleTimer(connection: self)

    private final class IdleTimer: LoopTimer {
        unowned(unsafe) let connection: TCPConnection
        init(connection: TCPConnection) {
            unsafe self.connection = connection
            super.init()
        }
        override func fired() { unsafe connection.checkIdle() }
    }

    init(worker: Worker, listener: Listener, chain: Chain) {
        self.listener = listener
        super.init(
            worker: worker, chain: chain, bufferLimit: listener.bufferLimit, traffic: listener.stats.rawTraffic)
        pipe = BytePipe(connection: self, side: .client)
    }

    func start() {
        if let memory = unsafe pipe?.factsMemory { unsafe memory.pointee.start = worker.instant }
        touch()
        do throws(Fault) { try pipe?.openStages() } catch {
            note(error)
            return close()
        }
        if pipe?.isReady ?? true { connectUpstream() }
    }

    /// Nobody is called on before the client's handshake is over.
    override func handshakesEnded() {
        if let tls = facts.tls { listener.stats.tls.secured(tls) }
        connectUpstream()
        resumeReading()
    }

    override func stagesFailed(_ fault: Fault) {
        listener.stats.tls.failed(fault)
        noteFlags(fault)
        flushLastWords()
        let upstream = upstream
        self.upstream = nil
        upstream?.clientFailed()
        close()
    }

    private func connectUpstream() {
        do throws(Fault) {
            guard let attached = pipe?.attached else { throw Fault(.noCluster, "chain.nothing_attached") }
            guard let pool = worker.pool(attached.cluster) else {
                throw Fault(.noCluster, "chain.unknown_cluster")
            }
            idleLimit = attached.attachment.idleLimit(otherwise: 3_600_000_000_000)
            let memory = unsafe pipe?.factsMemory
            if let memory = unsafe memory { unsafe memory.pointee.cluster = pool.name }
            let endpoint: Endpoint
            do throws(Fault) {
                endpoint = try pool.pickEndpoint(hash: attached.attachment.hash)
            } catch {
                if error.kind == .overflow { unsafe memory?.pointee.limit = pool.limits.connections.reached }
                throw error
            }
            if let memory = unsafe memory {
                unsafe memory.pointee.endpoint = endpoint.name
                unsafe memory.pointee.attempts = 1
            }
            let upstream = RawClientConnection(worker: worker, pool: pool, endpoint: endpoint, client: self)
            if let memory = unsafe memory { unsafe memory.pointee.upstream = upstream.facts }
            try upstream.start()
            self.upstream = upstream
        } catch {
            note(error)
            return close()
        }
        touch()
        if idleLimit > 0 { worker.loop.schedule(idleTimer, after: idleLimit) }
    }

    override var wantsInput: Bool {
        if let pipe {
            if pipe.isInwardHeld { return false }
            if !pipe.isReady { return true }
        }
        guard let upstream else { return false }
        return !upstream.isOutputFull
    }

    override func received(_ chunk: consuming ByteChunk, last: Bool) {
        touch()
        if last { requestEnded = true }
        upstream?.send(chunk, last: last)
        finishIfDone()
    }

    /// Bytes from the upstream.
    func upstreamSent(_ chunk: consuming ByteChunk, last: Bool) {
        touch()
        if last { responseEnded = true }
        pipe?.outward(chunk, last: last)
        scheduleFlush()
    }

    /// The upstream could not be reached, or broke: then the client's connection breaks too, behind what has come.
    func upstreamFailed(_ fault: Fault, wasConnected: Bool) {
        note(fault)
        upstream = nil
        guard wasConnected else { return close() }
        flush()
        reset()
    }

    override var hearsLastWords: Bool { true }

    override func failed(_ errno: Int32) {
        note(Fault(.clientGone, "client.reset"))
        let upstream = upstream
        self.upstream = nil
        upstream?.clientFailed()
        close()
    }

    override func beforeFlush() {
        guard flags.contains(.wantsDecode) else { return }
        flags.remove(.wantsDecode)
        if flags.contains(.canRead), wantsInput { read() }
    }

    override func outputDrained() { upstream?.resumeReading() }
    override func outputEnded() { finishIfDone() }

    /// Both directions have ended and everything is written: nothing is left to do.
    func finishIfDone() {
        guard requestEnded, responseEnded, unsafe output.pointee.queue.isEmpty, upstream?.isDone ?? true else { return }
        close()
    }

    override func closing() {
        if idleTimer.isArmed { worker.loop.cancel(idleTimer) }
        let upstream = upstream
        self.upstream = nil
        upstream?.close()
        writeLog()
        listener.connectionClosed(self)
    }

    /// The connection is its own one stream: it is counted, and told of, like one.
    private func note(_ fault: Fault) {
        worker.count(fault)
        noteFlags(fault)
    }

    private func noteFlags(_ fault: Fault) {
        guard let memory = unsafe pipe?.factsMemory else { return }
        unsafe memory.pointee.reason = fault.reason
        unsafe memory.pointee.flags.formUnion(Rescue.verdict(fault, duringRequest: false).flags)
    }

    private func writeLog() {
        guard let pipe, let log = listener.accessLog else { return }
        var facts = unsafe pipe.factsMemory.pointee
        facts.requestBodyBytes = bytesReceived
        facts.responseBodyBytes = bytesSent
        facts.responseEnd = worker.instant
        unsafe log.write(facts, request: pipe.noHead, on: self.facts)
    }

    /// The process ends, and does not wait.
    func abort() {
        note(Fault(.draining, "sluice.stopped"))
        close()
    }

    func touch() { lastActivity = worker.loop.now }

    private func checkIdle() {
        let now = worker.loop.now
        if now >= lastActivity + idleLimit {
            note(Fault(.idleTimeout, "tcp.idle_timeout"))
            return close()
        }
        worker.loop.schedule(idleTimer, after: lastActivity + idleLimit - now)
    }
}

/// The other side of a ``TCPConnection``.
final class RawClientConnection: Connection {
    let endpoint: Endpoint
    fileprivate let pool: ClusterPool
    unowned(unsafe) private var client: TCPConnection?
    private var endSent = false
    private var isConnected = false
    private lazy var connectTimer = ConnectTimer(connection: self)

    private final class ConnectTimer: LoopTimer {
        unowned(unsafe) let connection: RawClientConnection
        init(connection: RawClientConnection) {
            unsafe self.connection = connection
            super.init()
        }
        override func fired() {
            unsafe connection.pool.stats.cluster.add(.cxConnectTimeout)
            unsafe connection.failed(110)
        }
    }

    init(worker: Worker, pool: ClusterPool, endpoint: Endpoint, client: TCPConnection) {
        self.endpoint = endpoint
        self.pool = pool
        unsafe self.client = client
        super.init(
            worker: worker, chain: pool.chain, bufferLimit: pool.settings.bufferLimit, traffic: pool.stats.traffic)
        facts.fill(endpoint, of: pool)
        facts.client = client.facts
        if chain.byteCount > 0 { pipe = BytePipe(connection: self, side: .upstream) }
    }

    func start() throws(Fault) {
        do throws(SystemFault) {
            try dial(endpoint.address, keepAlive: pool.keepAlive)
        } catch {
            pool.roomMade()
            pool.connectFailed(endpoint)
            if ConnectReason.blames(error.errno) { endpoint.outcomes?.note(.localFailure) }
            throw Fault(.connectFailed, ConnectReason.text(error.errno), replay: .always)
        }
        pool.began(with: endpoint)
        endpoint.activeRequests += 1
        worker.loop.schedule(connectTimer, after: pool.connectLimit)
    }

    override func connected() {
        do throws(Fault) { try pipe?.openStages() } catch { return failed(0) }
        if pipe?.isReady ?? true { begin() }
        scheduleFlush()
    }

    override func handshakesEnded() { begin() }

    /// The connection is ready for the client's bytes.
    private func begin() {
        if connectTimer.isArmed { worker.loop.cancel(connectTimer) }
        pool.made(facts, since: begun)
        isConnected = true
        endpoint.outcomes?.note(.success)
        scheduleFlush()
        unsafe client?.resumeReading()
    }

    override func stagesFailed(_ fault: Fault) {
        pool.stats.tls.failed(fault)
        flushLastWords()
        finish(
            isConnected
                ? Fault(.upstreamClosed, fault.reason, origin: .upstream)
                : Fault(.handshakeFailed, fault.reason, replay: .always))
    }

    func send(_ chunk: consuming ByteChunk, last: Bool) {
        if let pipe {
            unsafe pipe.inner.pointee.append(chunk)
            if last { pipe.innerEnds = true }
        } else {
            unsafe output.pointee.append(chunk)
            if last { flags.insert(.shutWriteAfterOutput) }
        }
        if last { endSent = true }
        scheduleFlush()
    }

    override var wantsInput: Bool {
        guard let client = unsafe client else { return false }
        return !client.isOutputFull
    }

    override func received(_ chunk: consuming ByteChunk, last: Bool) {
        unsafe client?.upstreamSent(chunk, last: last)
    }

    override func beforeFlush() {
        guard flags.contains(.wantsDecode) else { return }
        flags.remove(.wantsDecode)
        if flags.contains(.canRead), wantsInput { read() }
    }

    override func outputDrained() { unsafe client?.resumeReading() }
    override func outputEnded() { unsafe client?.finishIfDone() }

    var isDone: Bool { unsafe output.pointee.queue.isEmpty && (!endSent || flags.contains(.writeEnded)) }

    override func failed(_ errno: Int32) {
        finish(
            isConnected ? Fault(.upstreamClosed, "upstream.reset") : Fault(.connectFailed, ConnectReason.text(errno)))
    }

    private func finish(_ fault: Fault) {
        let wasConnected = isConnected
        if !wasConnected {
            pool.connectFailed(endpoint)
            endpoint.outcomes?.note(.localFailure)
        }
        let client = unsafe client
        close()
        client?.upstreamFailed(fault, wasConnected: wasConnected)
    }

    override var hearsLastWords: Bool { true }

    /// The client's connection broke: the upstream must not take what it has got for all.
    func clientFailed() {
        unsafe client = nil
        flush()
        reset()
    }

    override func closing() {
        if connectTimer.isArmed { worker.loop.cancel(connectTimer) }
        endpoint.activeRequests -= 1
        pool.ended(self, endpoint, isBusy: isConnected)
        unsafe client = nil
    }

    override func closed() { pool.roomMade() }
}
