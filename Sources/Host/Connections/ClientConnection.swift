internal import Engine
internal import FilterAPI

/// A connection to an endpoint that speaks HTTP: a client codec inside, and one stream on it; over HTTP/2 many, which is
/// in `+Shared`.
///
/// SAFETY: as ``ServerConnection``; the stream that uses the connection gives it up before it ends.
@safe
final class ClientConnection: Connection, CodecHost {
    let endpoint: Endpoint
    /// Kept alive: a connection may outlive the last stream of a cluster that a reload has taken away.
    let pool: ClusterPool
    let codec: any ClientCodec
    let link: UnsafeMutablePointer<CodecLink>
    unowned(unsafe) private(set) var stream: HTTPStream?
    /// The stream that waits for this connection to be made.
    unowned(unsafe) var waiter: HTTPStream?
    var input = ByteChunk()
    var more = ChunkQueue()
    var inputEnded = false
    var isDecoding = false
    var isBegun = false
    /// The upstream sent something before it had a request.
    private var hasSpokenFirst = false
    /// How many requests it has carried.
    var requests = 0
    /// The streams that it carries, where many share it.
    unowned(unsafe) var firstStream: HTTPStream?
    var streamCount = 0
    /// How many bytes have come for the codec.
    private(set) var spokenBytes = 0
    /// Streams that it had when it was closed.
    private var stranded: [HTTPStream] = []
    /// How many streams it owes credit for.
    var debts = 0
    /// Whether it is on its endpoint's list of those that carry streams and may take more.
    var isListedAsShared = false
    /// How many streams wait for it to be made, beside ``waiter``.
    var passengers = 0
    /// Bytes sent when the present request began.
    private var sentBefore = 0
    /// Something has come since then that is meant for the codec: what a byte filter's protocol says of its own, such as
    /// the end of a TLS connection, is no part of an answer.
    private var hasSpoken = false
    /// When it became idle.
    var idleSince: Nanoseconds = 0
    /// Whether it is on its endpoint's list of idle ones.
    var isIdle = false
    /// How much may still come of an answer that nobody wants; -1 where there is none.
    private var unwanted = -1
    private var unwantedTrailers: UnsafeMutablePointer<Headers>?
    private lazy var timer = LimitTimer(connection: self)
    private(set) lazy var codecTimer = CallbackTimer { [unowned self] in self.codecTimerFired() }

    /// An answer that nobody wants is read to its end where that is cheaper than a new connection.
    private static let unwantedLimit = 64 << 10
    private static let unwantedTime: Nanoseconds = 1_000_000_000

    private final class LimitTimer: LoopTimer {
        unowned(unsafe) let connection: ClientConnection
        init(connection: ClientConnection) {
            unsafe self.connection = connection
            super.init()
        }
        override func fired() { unsafe connection.timedOut() }
    }

    init(worker: Worker, pool: ClusterPool, endpoint: Endpoint, codec: any ClientCodec) {
        self.endpoint = endpoint
        self.pool = pool
        self.codec = codec
        unsafe link = .allocate(capacity: 1)
        super.init(
            worker: worker, chain: pool.chain, bufferLimit: pool.settings.bufferLimit, traffic: pool.stats.traffic)
        facts.fill(endpoint, of: pool)
        if chain.byteCount > 0 { pipe = BytePipe(connection: self, side: .upstream) }
        unsafe link.initialize(to: CodecLink(host: self, output: innerOutput))
    }

    deinit {
        if isBegun { unsafe codec._end(block) }
        if let trailers = unsafe unwantedTrailers { unsafe trailers.deinitialize(count: 1).deallocate() }
        unsafe link.deinitialize(count: 1).deallocate()
    }

    /// Begins to connect.
    ///
    /// - Throws: where the kernel refuses at once.
    func start(timeout: Nanoseconds) throws(SystemFault) {
        try dial(endpoint.address, keepAlive: pool.keepAlive)
        pool.began(with: endpoint)
        if !pool.mayShare { pool.stats.cluster.add(.cxHTTP1Total) }
        worker.loop.schedule(timer, after: timeout)
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
        if timer.isArmed { worker.loop.cancel(timer) }
        do throws(Fault) {
            unsafe try codec._connect(block, &link.pointee)
            isBegun = true
            isShared = unsafe link.pointee.version == .http2
            if pool.mayShare { pool.stats.cluster.add(isShared ? .cxHTTP2Total : .cxHTTP1Total) }
            pool.made(facts, since: begun)
            if isShared { scheduleFlush() }
        } catch {
            worker.count(error)
            return failed(0)
        }
        pool.ready(self)
    }

    override func stagesFailed(_ fault: Fault) {
        // What they have to say to the upstream is sent if the kernel takes it at once.
        flushLastWords()
        pool.stats.tls.failed(fault)
        if unsafe stream == nil && waiter == nil { worker.count(fault) }
        if !isBegun {
            pool.connectFailed(endpoint)
            return fail(Fault(.handshakeFailed, fault.reason, replay: .always))
        }
        fail(Fault(.upstreamClosed, fault.reason, origin: .upstream, replay: .ifIdempotent))
    }

    private func timedOut() {
        guard !flags.contains(.closed) else { return }
        if unwanted >= 0 { return close() }
        guard !isBegun else { return }
        pool.stats.cluster.add(.cxConnectTimeout)
        pool.connectFailed(endpoint)
        fail(Fault(.connectTimeout, "upstream.connect_timeout", replay: .always))
    }

    // MARK: Sending

    /// Takes a stream on and writes its head.
    ///
    /// - Returns: whether the head could be written.
    func writeHead(_ stream: HTTPStream, last: Bool) -> Bool {
        let before = unsafe innerOutput.pointee.byteCount
        do throws(Fault) {
            unsafe try codec._requestHead(block, &stream.headMemory.pointee, last, stream.handle, &link.pointee)
            unsafe stream.factsMemory.pointee.upstreamRequestHeadBytes = innerOutput.pointee.byteCount - before
        } catch {
            stream.faulted(error, at: stream.chain.httpCount)
            return false
        }
        if last { unsafe stream.factsMemory.pointee.upstreamRequestEnd = worker.instant }
        if !isShared, unsafe stream.headMemory.pointee.method == .connect {
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
            if !isShared, stream.flags.contains(.tunnel) { flags.insert(.shutWriteAfterOutput) }
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

    override func fillOutput(_ room: Int) { if isShared { unsafe codec._flush(block, room, &link.pointee) } }

    override func outputEnded() { if isShared { close() } }

    override func outputFilled() { pool.stats.cluster.add(.pausedReading) }

    override func outputDrained() {
        pool.stats.cluster.add(.resumedReading)
        if isShared { return resumeReading() }
        unsafe stream?.connection?.resumeReading()
    }

    // MARK: Receiving

    override var wantsInput: Bool {
        if !input.isEmpty || !more.isEmpty || inputEnded { return false }
        if isShared {
            if isJammed { return false }
        } else if let stream = unsafe stream, stream.isResponseBlocked {
            return false
        }
        return !(pipe?.isInwardHeld ?? false)
    }

    override func received(_ chunk: consuming ByteChunk, last: Bool) {
        if chunk.count > 0 {
            hasSpoken = true
            spokenBytes += chunk.count
        }
        if !isShared, chunk.count > 0, bytesSent == sentBefore, let stream = unsafe stream,
            !stream.flags.contains(.tunnel)
        {
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
        if isShared {
            if debts > 0 { payDebts() }
            decodeShared()
        } else if !input.isEmpty || !more.isEmpty || inputEnded || isTunnelToOpen || unwanted >= 0 {
            decode()
        }
        if flags.contains(.canRead), !flags.contains(.closed), wantsInput { read() }
    }

    private var isTunnelToOpen: Bool {
        guard let stream = unsafe stream else { return false }
        return stream.flags.contains(.tunnel) && !stream.flags.contains(.responseStarted)
    }

    private func decode() {
        if isShared { return decodeShared() }
        guard !isDecoding, !flags.contains(.closed) else { return }
        isDecoding = true
        defer { isDecoding = false }
        while !flags.contains(.closed) {
            guard let stream = unsafe stream else { return unwanted >= 0 ? discard() : unexpectedInput() }
            if stream.isResponseBlocked { return }
            if input.isEmpty, let next = more.popFirst() { input = next }
            do throws(Fault) {
                guard try step(stream, ended: inputEnded && more.isEmpty) else { return }
            } catch {
                return fail(error)
            }
        }
    }

    /// What the codec reads next.
    @inline(__always)
    func nextEvent(ended: Bool) throws(Fault) -> ClientEvent {
        worker.calls.begin(chain.codecLabel, .decode)
        defer { worker.calls.end() }
        return unsafe try codec._decode(block, &input, ended, &link.pointee)
    }

    /// - Returns: whether to go on.
    private func step(_ stream: HTTPStream, ended: Bool) throws(Fault) -> Bool {
        switch try nextEvent(ended: ended) {
        case .needMore:
            if ended { throw Fault(.upstreamClosed, "upstream.closed", replay: .ifIdempotent) }
            return !more.isEmpty
        case .interimDropped: break
        case .interimHead:
            stream.interimHeadArrived()
        case .responseHead(_, let last):
            unsafe stream.factsMemory.pointee.upstreamFirstByte = worker.instant
            answered(stream, last: last)
            if last { detach() }
            if unsafe stream.responseMemory.pointee.status == 101 { stream.flags.insert(.tunnel) }
            stream.responseHeadArrived(last: last)
        case .responseBody(_, let chunk, let last):
            if last { detach() }
            stream.responseBodyArrived(chunk, last: last)
        case .responseTrailers:
            trailersCame(stream)
            detach()
            stream.responseTrailersArrived()
        case .reset(_, let fault):
            fail(fault)
            return false
        case .close:
            fail(Fault(.upstreamProtocol, "upstream.out_of_step"))
            return false
        }
        if unsafe self.stream == nil, unwanted < 0 {
            settleAfterStream()
            return false
        }
        return true
    }

    // MARK: An answer that nobody wants

    /// Whether what is left of an answer that was begun is worth reading: the request has gone out whole, and the answer
    /// is not said to be long.
    private func isWorthReading(_ stream: HTTPStream) -> Bool {
        guard stream.flags.isSuperset(of: [.responseStarted, .upstreamRequestEnded]), !stream.flags.contains(.tunnel)
        else { return false }
        switch unsafe stream.responseMemory.pointee.bodyLength {
        case .none: return false
        case .known(let count): return count <= Self.unwantedLimit
        case .unknown: return true
        }
    }

    private func beginDiscarding() {
        unwanted = Self.unwantedLimit
        worker.loop.schedule(timer, after: Self.unwantedTime)
        resumeReading()
    }

    /// Reads on without a stream, until the answer is complete or too much.
    private func discard() {
        do throws(Fault) {
            while unwanted >= 0, !flags.contains(.closed) {
                if input.isEmpty, let next = more.popFirst() { input = next }
                let ended = inputEnded && more.isEmpty
                switch try nextEvent(ended: ended) {
                case .needMore:
                    if ended { return close() }
                    if more.isEmpty { return }
                case .responseBody(_, let chunk, let last):
                    unwanted -= chunk.count
                    if last { return discarded() }
                case .responseTrailers: return discarded()
                default: return close()
                }
            }
        } catch {}
        close()
    }

    private func discarded() {
        unwanted = -1
        worker.loop.cancel(timer)
        settleAfterStream()
    }

    /// The answer is complete: stream and connection part.
    private func detach() {
        guard let stream = unsafe stream else { return }
        unsafe self.stream = nil
        requestLeft()
        unsafe pool.stats.requestTime.record(worker.loop.now - stream.factsMemory.pointee.upstreamReady.nanoseconds)
        stream.upstreamDone()
    }

    func requestLeft() {
        endpoint.activeRequests -= 1
        endpoint.stats.add(.rqActive, -1)
        pool.stats.cluster.add(.rqActive, -1)
    }

    /// The head of an answer has come; `last` where it is the whole answer.
    func answered(_ stream: HTTPStream, last: Bool) {
        let head = unsafe stream.responseMemory
        let status = unsafe head.pointee.status.code
        pool.stats.answered(status)
        endpoint.stats.add(status < 500 ? .rqSuccess : .rqError)
        if status < 500, stream.flags.contains(.replayed) { pool.stats.cluster.add(.rqRetrySuccess) }
        // How a gRPC call has gone stands where it ends: answers with a body are not looked at before their trailers.
        if last, status == 200, unsafe head.pointee.headers.isGRPC { unsafe pool.stats.called(head.pointee.headers) }
        if stream.awaitsOutcome { stream.noteOutcome(ofHead: last) }
        endpoint.answered(after: stream.waitedForAnswer, at: worker.loop.now)
        if pool.looksForRefusals { unsafe pool.lookForRefusal(in: head.pointee.headers, of: endpoint) }
    }

    func trailersCame(_ stream: HTTPStream) {
        if let trailers = unsafe stream.responseTrailersMemory { unsafe pool.stats.called(trailers.pointee) }
        if stream.awaitsOutcome { stream.noteOutcomeOfTrailers() }
    }

    /// After an answer the connection goes back to the pool, or goes away.
    private func settleAfterStream() {
        guard !flags.contains(.closed) else { return }
        let extra = !input.isEmpty || !more.isEmpty || inputEnded
        if extra || flags.contains(.peerClosed) || !isReusable { return close() }
        pool.ready(self)
    }

    /// Whether another request may be sent on it.
    var isReusable: Bool {
        let limit = pool.maxRequestsPerConnection
        if hasSpokenFirst { return false }
        if limit > 0 && requests >= limit {
            pool.stats.cluster.add(.cxMaxRequests)
            return false
        }
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
            pool.connectFailed(endpoint)
            return fail(Fault(.connectFailed, ConnectReason.text(errno), replay: .always))
        }
        if hasSpoken, let stream = unsafe stream, !stream.flags.contains(.responseStarted) {
            return fail(Fault(.upstreamProtocol, "upstream.reset_in_head", replay: .ifIdempotent))
        }
        fail(Fault(.upstreamClosed, errno == 0 ? "upstream.closed" : "upstream.reset", replay: .ifIdempotent))
    }

    func fail(_ fault: Fault) {
        if isShared { return failShared(fault) }
        let stream = unsafe stream
        if stream != nil { flags.insert(.endsBusy) }
        unsafe self.stream = nil
        let sentNothing = bytesSent == sentBefore
        let reused = requests > 1 && (!hasSpoken || sentNothing)
        if !isBegun || !reused && stream?.waitsForAnswer ?? false {
            endpoint.failedToAnswer(in: pool.connectLimit, at: worker.loop.now)
        }
        close()
        if fault.kind == .upstreamProtocol { pool.stats.cluster.add(.cxProtocolError) }
        if let stream {
            requestLeft()
            pool.stats.cluster.add(.rqReceivedReset)
            if !stream.flags.contains(.responseStarted) { endpoint.stats.add(.rqError) }
            stream.upstreamFailed(fault, wasReused: reused, sentNothing: sentNothing)
        }
        failWaiters(fault)
    }

    /// The connection will not be made: who has waited for it is told.
    func failWaiters(_ fault: Fault) {
        while let waiter = pool.takeWaiter(of: self) {
            if fault.origin == .upstream { endpoint.outcomes?.note(.localFailure) }
            pool.stats.cluster.add(.rqPendingFailureEject)
            waiter.connectFailed(fault)
        }
    }

    override func closing() {
        if timer.isArmed { worker.loop.cancel(timer) }
        if isShared { disarmCodecTimer() }
        pool.ended(self, endpoint, isBusy: unsafe flags.contains(.endsBusy) || stream != nil || streamCount > 0)
        pool.stats.requestsPerConnection.record(UInt64(requests))
        pool.forget(self)
        if streamCount > 0 { stranded = takeStreams() }
    }

    override func closed() {
        pool.roomMade()
        // Whoever closes a connection that others share has told them before; this is for the case that nobody did.
        for stream in stranded where stream.flags.contains(.active) {
            stream.upstreamFailed(
                Fault(.upstreamClosed, "upstream.closed", replay: .ifIdempotent), wasReused: false, sentNothing: false)
        }
        stranded = []
        if isShared { pool.release(passengersOf: self) }
    }

    // MARK: What the pool and the stream call

    /// Gives the connection to a stream.
    func serve(_ stream: HTTPStream) {
        if isShared { link(stream) } else { unsafe self.stream = stream }
        requests += 1
        sentBefore = bytesSent
        hasSpoken = false
        endpoint.activeRequests += 1
        endpoint.stats.add(.rqTotal)
        endpoint.stats.add(.rqActive)
        pool.stats.cluster.add(.rqTotal)
        pool.stats.cluster.add(.rqActive)
        if stream.flags.contains(.replayed) { pool.stats.cluster.add(.rqRetry) }
        stream.connected(self)
    }

    /// The stream gives its request up: what was sent of it must not look complete, so the connection goes too.
    ///
    /// - Parameter isForAnother: the stream will be served in another way, and only the answer is not wanted.
    func abandon(_ stream: HTTPStream, isForAnother: Bool) {
        if isShared { return abandonShared(stream) }
        guard unsafe self.stream === stream else { return }
        if stream.waitsForAnswer { endpoint.failedToAnswer(in: stream.waitedForAnswer, at: worker.loop.now) }
        unsafe self.stream = nil
        requestLeft()
        pool.stats.cluster.add(.rqSentReset)
        if isForAnother, isWorthReading(stream) { return beginDiscarding() }
        if isBegun { unsafe codec._reset(block, stream.handle, &link.pointee) }
        flags.insert(.endsBusy)
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
        unsafe worker.streams.at(stream.slot) { unsafe $0.memoryForUpstream }
    }

    func trailers(_ stream: StreamHandle, isRequest: Bool) -> UnsafeMutablePointer<Headers> {
        // The stream of an answer that nobody wants may have begun another.
        if unwanted >= 0 { return unsafe trailersForNobody() }
        return unsafe worker.streams.at(stream.slot) { unsafe $0.trailers(isRequest: isRequest) }
    }

    private func trailersForNobody() -> UnsafeMutablePointer<Headers> {
        if let memory = unsafe unwantedTrailers { return unsafe memory }
        let memory = UnsafeMutablePointer<Headers>.allocate(capacity: 1)
        unsafe memory.initialize(to: Headers())
        unsafe unwantedTrailers = memory
        return unsafe memory
    }

    func armCodecTimer(after delay: Duration) { worker.loop.schedule(codecTimer, after: delay.wholeNanoseconds) }
    func disarmCodecTimer() { if codecTimer.isArmed { worker.loop.cancel(codecTimer) } }
}
