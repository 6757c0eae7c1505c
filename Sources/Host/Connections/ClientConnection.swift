internal import Engine
internal import FilterAPI

/// A connection to an endpoint that speaks HTTP: a client codec inside, and at most one stream on it.
///
/// SAFETY: as ``ServerConnection``; the stream that uses the connection gives it up before it ends.
@safe
final class ClientConnection: Connection, CodecHost {
    let endpoint: Endpoint
    /// Kept alive: a connection may outlive the last stream of a cluster that a reload has taken away.
    let pool: ClusterPool
    private let codec: any ClientCodec
    private let link: UnsafeMutablePointer<CodecLink>
    unowned(unsafe) private(set) var stream: HTTPStream?
    /// The stream that waits for this connection to be made.
    unowned(unsafe) var waiter: HTTPStream?
    private var input = ByteChunk()
    private var more = ChunkQueue()
    private var inputEnded = false
    private var isDecoding = false
    private var isBegun = false
    /// The upstream sent something before it had a request.
    private var hasSpokenFirst = false
    /// How many requests it has carried.
    private(set) var requests = 0
    /// Bytes sent and received when the present request began.
    private var sentBefore = 0
    private var receivedBefore = 0
    /// When it became idle.
    var idleSince: Nanoseconds = 0
    /// Whether it is on its endpoint's list of idle ones.
    var isIdle = false
    private lazy var connectTimer = ConnectTimer(connection: self)

    private final class ConnectTimer: LoopTimer {
        unowned(unsafe) let connection: ClientConnection
        init(connection: ClientConnection) {
            unsafe self.connection = connection
            super.init()
        }
        override func fired() { unsafe connection.connectTimedOut() }
    }

    init(worker: Worker, pool: ClusterPool, endpoint: Endpoint, codec: any ClientCodec) {
        self.endpoint = endpoint
        self.pool = pool
        self.codec = codec
        unsafe link = .allocate(capacity: 1)
        super.init(worker: worker, chain: pool.chain, bufferLimit: pool.settings.bufferLimit)
        if chain.byteCount > 0 {
            pipe = BytePipe(connection: self, side: .upstream)
            facts.fill(endpoint, of: pool)
        }
        unsafe link.initialize(to: CodecLink(host: self, output: innerOutput))
    }

    deinit {
        if isBegun { unsafe codec._end(block) }
        unsafe link.deinitialize(count: 1).deallocate()
    }

    /// Begins to connect.
    ///
    /// - Throws: where the kernel refuses at once.
    func start(timeout: Nanoseconds) throws(SystemFault) {
        let fd = try Dialer.dial(endpoint.address, keepAlive: pool.keepAlive)
        do throws(SystemFault) {
            try worker.loop.register(self, fd: fd)
        } catch {
            Syscalls.close(fd)
            throw error
        }
        flags.insert(.connecting)
        worker.loop.schedule(connectTimer, after: timeout)
    }

    override func connected() {
        do throws(Fault) { try pipe?.openStages() } catch {
            worker.count(error)
            return failed(0)
        }
        if pipe?.isReady ?? true { begin() }
        scheduleFlush()
    }

    override func handshakesEnded() { begin() }

    /// The connection is ready for requests. The time to connect includes the byte filters' handshakes.
    private func begin() {
        if connectTimer.isArmed { worker.loop.cancel(connectTimer) }
        do throws(Fault) {
            unsafe try codec._connect(block, &link.pointee)
            isBegun = true
        } catch {
            worker.count(error)
            return failed(0)
        }
        pool.ready(self)
    }

    override func stagesFailed(_ fault: Fault) {
        // What they have to say to the upstream is sent if the kernel takes it at once.
        flushLastWords()
        if unsafe stream == nil && waiter == nil { worker.count(fault) }
        if !isBegun {
            worker.counters.connectFailures.add()
            return fail(Fault(.handshakeFailed, fault.reason, replay: .always))
        }
        fail(Fault(.upstreamClosed, fault.reason, origin: .upstream, replay: .ifIdempotent))
    }

    private func connectTimedOut() {
        guard !isBegun, !flags.contains(.closed) else { return }
        worker.counters.connectTimeouts.add()
        fail(Fault(.connectTimeout, "upstream.connect_timeout", replay: .always))
    }

    // MARK: Sending

    /// Takes a stream on and writes its head.
    ///
    /// - Returns: whether the head could be written.
    func writeHead(_ stream: HTTPStream, last: Bool) -> Bool {
        do throws(Fault) {
            unsafe try codec._requestHead(block, &stream.headMemory.pointee, last, stream.handle, &link.pointee)
        } catch {
            stream.faulted(error, at: stream.chain.httpCount)
            return false
        }
        if last { unsafe stream.factsMemory.pointee.upstreamRequestEnd = worker.instant }
        if unsafe stream.headMemory.pointee.method == .connect {
            // The codec answers for the upstream, which may not say anything.
            stream.flags.insert(.tunnel)
            resumeReading()
        }
        scheduleFlush()
        return true
    }

    func writeBody(_ stream: HTTPStream, _ chunk: inout ByteChunk, last: Bool) {
        do throws(Fault) {
            unsafe try codec._requestBody(block, &chunk, last, stream.handle, &link.pointee)
        } catch {
            return stream.faulted(error, at: stream.chain.httpCount)
        }
        if last {
            unsafe stream.factsMemory.pointee.upstreamRequestEnd = worker.instant
            if stream.flags.contains(.tunnel) { flags.insert(.shutWriteAfterOutput) }
        }
        scheduleFlush()
    }

    func writeTrailers(_ stream: HTTPStream) {
        guard let trailers = unsafe stream.requestTrailersMemory else { return }
        do throws(Fault) {
            unsafe try codec._requestTrailers(block, &trailers.pointee, stream.handle, &link.pointee)
        } catch {
            return stream.faulted(error, at: stream.chain.httpCount)
        }
        scheduleFlush()
    }

    override func outputDrained() { unsafe stream?.connection?.resumeReading() }

    // MARK: Receiving

    override var wantsInput: Bool {
        if !input.isEmpty || !more.isEmpty || inputEnded { return false }
        if let stream = unsafe stream, stream.isResponseBlocked { return false }
        return !(pipe?.isInwardHeld ?? false)
    }

    override func received(_ chunk: consuming ByteChunk, last: Bool) {
        if chunk.count > 0, bytesSent == sentBefore, let stream = unsafe stream, !stream.flags.contains(.tunnel) {
            // Not an answer to a request of which nothing has left: on a connection that was used before it is some
            // other one's, on a fresh one the upstream tells at once that it will not serve.
            if requests > 1 { return fail(Fault(.upstreamProtocol, "upstream.answer_before_request", replay: .always)) }
            hasSpokenFirst = true
        }
        if input.isEmpty && more.isEmpty { input = chunk } else { more.append(chunk) }
        if last { inputEnded = true }
        decode()
    }

    override func beforeFlush() {
        guard flags.contains(.wantsDecode) else { return }
        flags.remove(.wantsDecode)
        if !input.isEmpty || !more.isEmpty || inputEnded || isTunnelToOpen { decode() }
        if flags.contains(.canRead), !flags.contains(.closed), wantsInput { read() }
    }

    private var isTunnelToOpen: Bool {
        guard let stream = unsafe stream else { return false }
        return stream.flags.contains(.tunnel) && !stream.flags.contains(.responseStarted)
    }

    private func decode() {
        guard !isDecoding, !flags.contains(.closed) else { return }
        isDecoding = true
        defer { isDecoding = false }
        while !flags.contains(.closed) {
            guard let stream = unsafe stream else { return unexpectedInput() }
            if stream.isResponseBlocked { return }
            if input.isEmpty, let next = more.popFirst() { input = next }
            do throws(Fault) {
                guard try step(stream, ended: inputEnded && more.isEmpty) else { return }
            } catch {
                return fail(error)
            }
        }
    }

    /// - Returns: whether to go on.
    private func step(_ stream: HTTPStream, ended: Bool) throws(Fault) -> Bool {
        switch unsafe try codec._decode(block, &input, ended, &link.pointee) {
        case .needMore:
            if ended { throw Fault(.upstreamClosed, "upstream.closed", replay: .ifIdempotent) }
            return !more.isEmpty
        case .interimDropped: break
        case .interimHead:
            stream.interimHeadArrived()
        case .responseHead(_, let last):
            unsafe stream.factsMemory.pointee.upstreamFirstByte = worker.instant
            if stream.awaitsOutcome { stream.noteOutcome(ofHead: last) }
            if last { detach() }
            if unsafe stream.responseMemory.pointee.status == 101 { stream.flags.insert(.tunnel) }
            stream.responseHeadArrived(last: last)
        case .responseBody(_, let chunk, let last):
            if last { detach() }
            stream.responseBodyArrived(chunk, last: last)
        case .responseTrailers:
            if stream.awaitsOutcome { stream.noteOutcomeOfTrailers() }
            detach()
            stream.responseTrailersArrived()
        case .reset(_, let fault):
            fail(fault)
            return false
        case .close:
            fail(Fault(.upstreamProtocol, "upstream.out_of_step"))
            return false
        }
        if unsafe self.stream == nil {
            settleAfterStream()
            return false
        }
        return true
    }

    /// The answer is complete: stream and connection part.
    private func detach() {
        guard let stream = unsafe stream else { return }
        unsafe self.stream = nil
        endpoint.activeRequests -= 1
        stream.upstreamDone()
    }

    /// After an answer the connection goes back to the pool, or goes away.
    private func settleAfterStream() {
        guard !flags.contains(.closed) else { return }
        let extra = !input.isEmpty || !more.isEmpty || inputEnded
        if extra || flags.contains(.peerClosed) || !isReusable { return close() }
        pool.ready(self)
    }

    /// Whether another request may be sent on it.
    private var isReusable: Bool {
        let limit = pool.maxRequestsPerConnection
        if hasSpokenFirst { return false }
        if limit > 0 && requests >= limit { return false }
        return unsafe codec._isReusable(block) && codec._freeStreams(block) > 0
    }

    /// An idle connection has no business to send anything: it is closed, not read.
    private func unexpectedInput() {
        if inputEnded || !input.isEmpty || !more.isEmpty { close() }
    }

    // MARK: Failing

    /// An upstream may answer, and then reset the connection because it has not read all of the request.
    override var hearsLastWords: Bool { isBegun }

    override func failed(_ errno: Int32) {
        if flags.contains(.connecting) || !isBegun {
            worker.counters.connectFailures.add()
            return fail(Fault(.connectFailed, ConnectReason.text(errno), replay: .always))
        }
        if bytesReceived > receivedBefore, let stream = unsafe stream, !stream.flags.contains(.responseStarted) {
            return fail(Fault(.upstreamProtocol, "upstream.reset_in_head", replay: .ifIdempotent))
        }
        fail(Fault(.upstreamClosed, errno == 0 ? "upstream.closed" : "upstream.reset", replay: .ifIdempotent))
    }

    private func fail(_ fault: Fault) {
        let stream = unsafe stream
        let waiter = pool.takeWaiter(of: self)
        unsafe self.stream = nil
        let silent = bytesReceived == receivedBefore
        let sentNothing = bytesSent == sentBefore
        let reused = requests > 1 && (silent || sentNothing)
        close()
        if let stream {
            endpoint.activeRequests -= 1
            stream.upstreamFailed(fault, wasReused: reused, sentNothing: sentNothing)
        }
        if let waiter {
            if fault.origin == .upstream { endpoint.outcomes?.note(.localFailure) }
            waiter.connectFailed(fault)
        }
    }

    override func closing() {
        if connectTimer.isArmed { worker.loop.cancel(connectTimer) }
        pool.closed(self)
    }

    // MARK: What the pool and the stream call

    /// Gives the connection to a stream.
    func serve(_ stream: HTTPStream) {
        unsafe self.stream = stream
        requests += 1
        sentBefore = bytesSent
        receivedBefore = bytesReceived
        endpoint.activeRequests += 1
        stream.connected(self)
    }

    /// The stream gives its request up: what was sent of it must not look complete, so the connection goes too.
    func abandon(_ stream: HTTPStream) {
        guard unsafe self.stream === stream else { return }
        unsafe self.stream = nil
        endpoint.activeRequests -= 1
        if isBegun { unsafe codec._reset(block, stream.handle, &link.pointee) }
        close()
    }

    /// Whether the upstream has ended or sent something since the connection became idle.
    var isStale: Bool { flags.contains(.closed) || flags.contains(.peerClosed) || inputEnded }

    // MARK: What the codec calls

    var connectionFacts: ConnectionFacts { facts }
    var now: FilterAPI.Instant { worker.instant }
    var pages: PagePool { worker.pages }
    func withDate(_ body: (RawSpan) -> Void) { worker.date.with(worker.loop, body) }
    func openStream() throws(Fault) -> StreamHandle { throw Fault(.upstreamProtocol, "upstream.opened_stream") }

    func memory(of stream: StreamHandle) -> StreamMemory {
        unsafe worker.streams.at(stream.slot) { unsafe $0.memory }
    }

    func trailers(_ stream: StreamHandle, isRequest: Bool) -> UnsafeMutablePointer<Headers> {
        unsafe worker.streams.at(stream.slot) { unsafe $0.trailers(isRequest: isRequest) }
    }

    func armCodecTimer(after delay: Duration) {}
    func disarmCodecTimer() {}
}
