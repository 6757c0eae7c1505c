internal import Engine
internal import FilterAPI

/// A client's connection that speaks HTTP: a server codec inside, and the streams that it has opened.
///
/// SAFETY: `codec` is kept alive by the chain; `link` is allocated with the object and freed with it; streams on the
/// list end before the connection does.
@safe
final class ServerConnection: Connection, CodecHost {
    let codec: any ServerCodec
    let listener: Listener
    private let stats: ListenerStats
    private let link: UnsafeMutablePointer<CodecLink>
    private var input = ByteChunk()
    private var more = ChunkQueue()
    private var inputEnded = false
    /// The codec left bytes: it wants no more before a stream has ended.
    private var codecIsFull = false
    private var isDecoding = false
    /// What the client speaks; nil while nobody knows.
    private var version: HTTPVersion?
    /// Requests that began before that.
    private var earlyRequests = 0
    /// How many streams are owed credit.
    private var debts = 0
    private var isAccepted = false
    /// Counted among the connections with TLS.
    private var isSecured = false
    private var drainsOnceAccepted = false
    /// The next request is the last one.
    private(set) var isLeaving = false
    /// The client has been, or is about to be, asked to end the connection.
    private var isAskedToEnd = false
    unowned(unsafe) private var firstStream: HTTPStream?
    private lazy var timer = CodecTimer(connection: self)
    private lazy var flushTimer = CallbackTimer { [unowned self] in self.flushTimerFired() }
    private var sentBeforeFlush = 0
    /// When the codec wants to be called; the wheel's timer may fire earlier, and looks here.
    private var timerDue: Nanoseconds = 0
    private var timerDelay: Nanoseconds = 0

    private final class CodecTimer: LoopTimer {
        unowned(unsafe) let connection: ServerConnection
        var due: Nanoseconds = 0
        init(connection: ServerConnection) {
            unsafe self.connection = connection
            super.init()
        }
        override func fired() { unsafe connection.timerFired() }
    }

    init(worker: Worker, listener: Listener, chain: Chain, codec: any ServerCodec) {
        self.codec = codec
        self.listener = listener
        stats = listener.stats
        unsafe link = .allocate(capacity: 1)
        super.init(
            worker: worker, chain: chain, bufferLimit: listener.bufferLimit, traffic: listener.stats.httpTraffic)
        if chain.byteCount > 0 { pipe = BytePipe(connection: self, side: .client) }
        unsafe link.initialize(to: CodecLink(host: self, output: innerOutput))
    }

    deinit {
        if isAccepted { unsafe codec._end(block) }
        unsafe link.deinitialize(count: 1).deallocate()
    }

    /// Begins the connection's life, when its facts are known and it is registered.
    func start() {
        stats.http.add(.cxTotal)
        stats.http.add(.cxActive)
        do throws(Fault) { try pipe?.openStages() } catch {
            worker.count(error)
            return close()
        }
        if pipe?.isReady ?? true { accept() }
    }

    /// The codec begins when the byte filters are ready: its time limits are about requests.
    private func accept() {
        if let tls = facts.tls { secured(tls) }
        do throws(Fault) {
            unsafe try codec._accept(block, &link.pointee)
            isAccepted = true
            noteVersion()
            if drainsOnceAccepted { unsafe codec._drain(block, &link.pointee) }
            if isShared { afterWriting() }
        } catch {
            worker.count(error)
            close()
        }
    }

    override func handshakesEnded() { accept() }

    /// The codec may have found out what the client speaks.
    private func noteVersion() {
        guard version == nil, let found = unsafe link.pointee.version else { return }
        version = found
        isShared = found == .http2
        stats.http.add(isShared ? .cxHTTP2Total : .cxHTTP1Total)
        stats.http.add(isShared ? .cxHTTP2Active : .cxHTTP1Active)
        for _ in 0..<earlyRequests { stats.http.add(isShared ? .rqHTTP2Total : .rqHTTP1Total) }
    }

    private func secured(_ tls: TLSFacts) {
        stats.tls.secured(tls)
        stats.http.add(.cxSSLTotal)
        stats.http.add(.cxSSLActive)
        isSecured = true
    }

    /// What the filters have said to the client is written before the end, if the client takes it.
    override func stagesFailed(_ fault: Fault) {
        stats.tls.failed(fault)
        endStreams { $0.clientGone(Fault(.clientGone, fault.reason)) }
        finish()
    }

    // MARK: Bytes from the client

    override var wantsInput: Bool {
        if codecIsFull || !input.isEmpty || !more.isEmpty || inputEnded { return false }
        if isShared {
            if isJammed { return false }
        } else if let stream = unsafe firstStream, stream.isRequestBlocked {
            return false
        }
        return !(pipe?.isInwardHeld ?? false)
    }

    override func received(_ chunk: consuming ByteChunk, last: Bool) {
        if input.isEmpty && more.isEmpty { input = chunk } else { more.append(chunk) }
        if last { inputEnded = true }
        decode()
    }

    /// Pulls events out of the codec until it needs more bytes, wants none, or a stream cannot go on.
    private func decode() {
        guard !isDecoding, isAccepted, !flags.contains(.closed) else { return }
        isDecoding = true
        defer { isDecoding = false }
        codecIsFull = false
        while !flags.contains(.closed), !flags.contains(.closeAfterOutput) {
            if !isShared, let stream = unsafe firstStream, stream.isRequestBlocked { return }
            if input.isEmpty, let next = more.popFirst() { input = next }
            let ended = inputEnded && more.isEmpty
            do throws(Fault) {
                guard try step(ended: ended) else {
                    if isShared { afterWriting() }
                    return
                }
            } catch {
                return fail(error)
            }
        }
        if isShared { afterWriting() }
    }

    /// What the codec reads next.
    @inline(__always)
    private func nextEvent(ended: Bool) throws(Fault) -> ServerEvent {
        worker.calls.begin(chain.codecLabel, .decode)
        defer {
            worker.calls.end()
            if version == nil { noteVersion() }
        }
        return unsafe try codec._decode(block, &input, ended, &link.pointee)
    }

    /// - Returns: whether to go on.
    private func step(ended: Bool) throws(Fault) -> Bool {
        switch try nextEvent(ended: ended) {
        case .needMore:
            if !input.isEmpty {
                codecIsFull = true
                return false
            }
            return !more.isEmpty
        case .requestHead(let handle, let last):
            if isLeaving { askToEnd() }
            worker.streams.at(handle.slot) { $0.requestHeadArrived(last: last) }
        case .requestBody(let handle, let chunk, let last):
            guard let stream = worker.streams.find(handle) else { break }
            let count = chunk.count
            stream.requestBodyArrived(chunk, last: last)
            if isShared, count > 0 { credit(count, handle) }
        case .refused(let handle, let fault):
            if let stream = worker.streams.find(handle) { refuse(stream, fault) }
        case .requestTrailers(let handle):
            if let stream = worker.streams.find(handle) { stream.requestTrailersArrived() }
        case .reset(let handle, let fault):
            if let stream = worker.streams.find(handle) { stream.clientGone(fault) }
        case .close:
            // Nothing gives credit any more, nor takes a stream back: whoever ends its direction has left.
            if isShared { endStreams { $0.clientGone(Fault(.clientGone, "client.closed")) } }
            finish()
            return false
        }
        return true
    }

    /// The client broke the protocol, or let the codec's time run out: an answer where one is due, and the end.
    private func fail(_ fault: Fault) {
        if fault.kind == .badRequest { stats.http.add(.cxProtocolError) }
        if isShared {
            worker.count(fault)
            endStreams { $0.clientGone(Fault(.clientGone, fault.reason)) }
        } else if let stream = unsafe firstStream {
            refuse(stream, fault)
        } else {
            worker.count(fault)
        }
        finish()
    }

    /// Answers a request that the codec does not let pass, and that no filter has seen if none of it did.
    private func refuse(_ stream: HTTPStream, _ fault: Fault) {
        if !stream.flags.contains(.requestStarted) {
            stream.requestMask = 0
            stream.responseMask = 0
        }
        stream.faulted(fault, at: 0)
    }

    // MARK: Credit

    /// The client may send as much again, now or when what it has sent of the stream can go on.
    private func credit(_ count: Int, _ handle: StreamHandle) {
        guard let stream = worker.streams.find(handle) else { return }
        if stream.isRequestBlocked {
            if stream.owedRequest == 0 { debts += 1 }
            stream.owedRequest += count
        } else {
            unsafe codec._consumed(block, count, handle, &link.pointee)
        }
    }

    private func payDebts() {
        var next = unsafe firstStream
        while debts > 0, let stream = next {
            next = unsafe stream.nextOnConnection
            guard stream.owedRequest > 0, !stream.isRequestBlocked else { continue }
            unsafe codec._consumed(block, stream.owedRequest, stream.handle, &link.pointee)
            forgive(stream)
        }
    }

    private func forgive(_ stream: HTTPStream) {
        if stream.owedRequest > 0 { debts -= 1 }
        stream.owedRequest = 0
    }

    override func fillOutput(_ room: Int) {
        guard isShared else { return }
        unsafe codec._flush(block, room, &link.pointee)
        if unsafe link.pointee.wantsClose { flags.insert(.closeAfterOutput) }
    }

    func setFull(_ handle: StreamHandle, _ isFull: Bool) {
        guard let stream = worker.streams.find(handle) else { return }
        if isFull {
            stats.http.add(.pausedReading)
            stream.flags.insert(.responseFull)
        } else {
            stats.http.add(.resumedReading)
            stream.flags.remove(.responseFull)
            unsafe stream.upstream?.resumeReading()
        }
    }

    /// Nothing more is read; what waits is written, then the connection closes.
    private func finish() {
        flags.insert(.closeAfterOutput)
        scheduleFlush()
    }

    override func beforeFlush() {
        guard flags.contains(.wantsDecode) else { return }
        flags.remove(.wantsDecode)
        if debts > 0 { payDebts() }
        decode()
        if flags.contains(.canRead), wantsInput { read() }
    }

    override func outputFilled() { stats.http.add(.pausedReading) }

    override func outputDrained() {
        stats.http.add(.resumedReading)
        if isShared { return resumeReading() }
        var next = unsafe firstStream
        while let stream = next {
            next = unsafe stream.nextOnConnection
            unsafe stream.upstream?.resumeReading()
        }
    }

    /// While a stream runs, its idle limit holds; after that the last bytes have a limit of their own.
    override func outputWaits() {
        let limit = listener.flushLimit
        guard limit > 0, unsafe firstStream == nil, !flags.contains(.closed), !flushTimer.isArmed else { return }
        sentBeforeFlush = bytesSent
        worker.loop.schedule(flushTimer, after: limit)
    }

    private func flushTimerFired() {
        guard !flags.contains(.closed), unsafe !output.pointee.queue.isEmpty, unsafe firstStream == nil else { return }
        guard bytesSent == sentBeforeFlush else { return outputWaits() }
        worker.count(Fault(.clientGone, "client.does_not_read"))
        close()
    }

    override func outputEnded() {
        guard unsafe firstStream == nil else { return }
        if unsafe link.pointee.wantsReset { return reset() }
        let unread = !input.isEmpty || !more.isEmpty || !flags.contains(.readEnded)
        if unread { linger() } else { close() }
    }

    override func failed(_ errno: Int32) {
        let fault = Fault(.clientGone, errno == 0 ? "client.closed" : "client.reset")
        endStreams { $0.clientGone(fault) }
        close()
    }

    override func closing() {
        if timer.isArmed { worker.loop.cancel(timer) }
        countEnd()
        endStreams { $0.clientGone(Fault(.clientGone, "client.closed")) }
        listener.connectionClosed(self)
    }

    /// Ends all that the connection carries.
    private func endStreams(_ end: (HTTPStream) -> Void) {
        if unsafe firstStream != nil { flags.insert(.endsBusy) }
        while let stream = unsafe firstStream { end(stream) }
    }

    private func countEnd() {
        let isBusy = unsafe flags.contains(.endsBusy) || firstStream != nil
        stats.http.add(.cxDestroy)
        stats.http.add(isEndedByPeer ? .cxDestroyRemote : .cxDestroyLocal)
        if isBusy {
            stats.http.add(.cxDestroyActiveRq)
            stats.http.add(isEndedByPeer ? .cxDestroyRemoteActiveRq : .cxDestroyLocalActiveRq)
        }
        stats.http.add(.cxActive, -1)
        if version != nil { stats.http.add(isShared ? .cxHTTP2Active : .cxHTTP1Active, -1) }
        if isSecured { stats.http.add(.cxSSLActive, -1) }
        stats.httpLength.record(worker.loop.now - begun)
    }

    /// The listener goes away, or changes: finish what runs and what has come, begin nothing after that.
    func drain() {
        guard isAccepted else {
            // Who shakes hands has come before the drain, and has a request to send.
            drainsOnceAccepted = true
            return
        }
        guard !flags.contains(.closed), !flags.contains(.lingering) else { return }
        // A request that the kernel holds already was sent in good faith.
        flags.insert(.canRead)
        read()
        guard !flags.contains(.closed) else { return }
        askToEnd()
        afterWriting()
    }

    /// The listener goes away, or changes, in a while: the request that runs is the last on this connection. Who has none,
    /// or has the head of its answer already, is left alone, and asked with the answer to the next.
    func leaveAfterRequest() {
        isLeaving = true
        // Over HTTP/2 a client is told without losing what it has on its way.
        if isShared, !flags.contains(.closed) {
            askToEnd()
            return afterWriting()
        }
        guard isAccepted, let stream = unsafe firstStream, !stream.flags.contains(.responseSent) else { return }
        guard !flags.contains(.closed), !flags.contains(.lingering) else { return }
        askToEnd()
        afterWriting()
    }

    private func askToEnd() {
        if !isAskedToEnd { stats.http.add(.cxDrainClose) }
        isAskedToEnd = true
        unsafe codec._drain(block, &link.pointee)
    }

    /// The process ends, and does not wait.
    func abort() {
        endStreams { $0.stopped() }
        close()
    }

    // MARK: Streams

    func openStream() throws(Fault) -> StreamHandle {
        let stream = unsafe worker.streams.take(worker: worker).takeUnretainedValue()
        stream.begin(on: self, chain: chain)
        stats.http.add(.rqTotal)
        if version == nil { earlyRequests += 1 } else { stats.http.add(isShared ? .rqHTTP2Total : .rqHTTP1Total) }
        stats.http.add(.rqActive)
        unsafe stream.nextOnConnection = firstStream
        unsafe stream.previousOnConnection = nil
        unsafe firstStream?.previousOnConnection = stream
        unsafe firstStream = stream
        return stream.handle
    }

    /// A stream is over: the codec is told, and reads on.
    func streamEnded(_ stream: HTTPStream) {
        forgive(stream)
        let next = unsafe stream.nextOnConnection
        let previous = unsafe stream.previousOnConnection
        if let previous { unsafe previous.nextOnConnection = next } else { unsafe firstStream = next }
        if let next { unsafe next.previousOnConnection = previous }
        unsafe stream.nextOnConnection = nil
        unsafe stream.previousOnConnection = nil
        guard !flags.contains(.closed) else { return }
        unsafe codec._streamClosed(block, stream.handle, &link.pointee)
        codecIsFull = false
        afterWriting()
        if !isDecoding, !input.isEmpty || !more.isEmpty || inputEnded || flags.contains(.canRead) { resumeReading() }
    }

    func writeInterimHead(_ stream: HTTPStream) {
        attempt(stream) { connection throws(Fault) in
            unsafe try connection.codec._interimHead(
                connection.block, &stream.responseMemory.pointee, stream.handle, &connection.link.pointee)
        }
    }

    func writeResponseHead(_ stream: HTTPStream, last: Bool) {
        unsafe stream.factsMemory.pointee.responseStart = worker.instant
        unsafe stream.factsMemory.pointee.status = stream.responseMemory.pointee.status.code
        let before = unsafe innerOutput.pointee.byteCount
        attempt(stream) { connection throws(Fault) in
            unsafe try connection.codec._responseHead(
                connection.block, &stream.responseMemory.pointee, last, stream.handle, &connection.link.pointee)
            unsafe stream.factsMemory.pointee.responseHeadBytes = connection.innerOutput.pointee.byteCount - before
        }
        if stream.flags.contains(.tunnel) { countTunnel(stream) }
        // A tunnel begins, or an upgrade was declined: the codec has something to say about the request.
        if !stream.flags.contains(.requestEnded), !isDecoding { resumeReading() }
    }

    private func countTunnel(_ stream: HTTPStream) {
        let status = unsafe stream.factsMemory.pointee.status
        guard status == 101 || status / 100 == 2 else { return }
        stats.http.add(.cxUpgradesTotal)
        stats.http.add(.cxUpgradesActive)
        stream.flags.insert(.countedTunnel)
    }

    func writeResponseBody(_ stream: HTTPStream, _ chunk: inout ByteChunk, last: Bool) {
        do throws(Fault) {
            unsafe try codec._responseBody(block, &chunk, last, stream.handle, &link.pointee)
        } catch {
            return stream.faulted(error, at: 0)
        }
        afterWriting()
    }

    func writeResponseTrailers(_ stream: HTTPStream) {
        attempt(stream) { connection throws(Fault) in
            guard let trailers = unsafe stream.responseTrailersMemory else { return }
            let before = unsafe connection.innerOutput.pointee.byteCount
            unsafe try connection.codec._responseTrailers(
                connection.block, &trailers.pointee, stream.handle, &connection.link.pointee)
            unsafe stream.factsMemory.pointee.responseTrailerBytes = connection.innerOutput.pointee.byteCount - before
        }
    }

    @inline(__always)
    private func attempt(_ stream: HTTPStream, _ body: (ServerConnection) throws(Fault) -> Void) {
        do throws(Fault) { try body(self) } catch { return stream.faulted(error, at: 0) }
        afterWriting()
    }

    /// The response of a stream cannot be finished.
    func resetStream(_ stream: HTTPStream, _ fault: Fault) {
        stats.http.add(.rqSentReset)
        unsafe codec._reset(block, stream.handle, fault, &link.pointee)
        afterWriting()
    }

    private func afterWriting() {
        if unsafe link.pointee.wantsClose { flags.insert(.closeAfterOutput) }
        scheduleFlush()
    }

    // MARK: What the codec calls

    var connectionFacts: ConnectionFacts { facts }
    var now: FilterAPI.Instant { worker.instant }
    var pages: PagePool { worker.pages }
    func withDate(_ body: (RawSpan) -> Void) { worker.date.with(worker.loop, body) }

    func memory(of stream: StreamHandle) -> StreamMemory {
        unsafe worker.streams.at(stream.slot) { unsafe $0.memory }
    }

    func trailers(_ stream: StreamHandle, isRequest: Bool) -> UnsafeMutablePointer<Headers> {
        unsafe worker.streams.at(stream.slot) { unsafe $0.trailers(isRequest: isRequest) }
    }

    func armCodecTimer(after delay: Duration) {
        let nanoseconds = delay.wholeNanoseconds
        timerDelay = nanoseconds
        let (due, overflow) = worker.loop.now.addingReportingOverflow(nanoseconds)
        timerDue = overflow ? .max : due
        if timer.isArmed && timer.due <= timerDue { return }
        timer.due = timerDue
        worker.loop.schedule(timer, after: nanoseconds)
    }

    func disarmCodecTimer() { timerDue = 0 }

    private func timerFired() {
        guard timerDue != 0, !flags.contains(.closed) else { return }
        let now = worker.loop.now
        if now < timerDue {
            timer.due = timerDue
            worker.loop.schedule(timer, after: timerDue - now)
            return
        }
        if !isShared, let stream = unsafe firstStream, stream.isRequestBlocked {
            // We are the ones who do not read: the client is not to blame for the silence.
            timerDue = now &+ timerDelay
            timer.due = timerDue
            worker.loop.schedule(timer, after: timerDelay)
            return
        }
        timerDue = 0
        do throws(Fault) {
            if case .close = unsafe try codec._timerFired(block, &link.pointee) { finish() }
            if isShared {
                decode()
                afterWriting()
            }
        } catch {
            fail(error)
        }
    }
}

extension HTTPStream {
    /// The trailers of a direction; made when the first ones come.
    func trailers(isRequest: Bool) -> UnsafeMutablePointer<Headers> {
        if let memory = unsafe isRequest ? requestTrailersMemory : responseTrailersMemory { return unsafe memory }
        let memory = UnsafeMutablePointer<Headers>.allocate(capacity: 1)
        unsafe memory.initialize(to: Headers())
        if isRequest { unsafe requestTrailersMemory = memory } else { unsafe responseTrailersMemory = memory }
        return unsafe memory
    }
}
