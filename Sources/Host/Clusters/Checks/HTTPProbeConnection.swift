internal import Engine
internal import FilterAPI

/// A connection that sends one request after the other, by the codec of the cluster's chain.
///
/// SAFETY: the memory of the one stream that there ever is on it is allocated and initialised with the object and freed
/// with it; so is the link, whose host is the object itself.
@safe
final class HTTPProbeConnection: ProbeConnection, CodecHost {
    private let question: any RequestQuestion
    private let codec: any ClientCodec
    private let link = UnsafeMutablePointer<CodecLink>.allocate(capacity: 1)
    private let request = UnsafeMutablePointer<RequestHead>.allocate(capacity: 1)
    private let response = UnsafeMutablePointer<ResponseHead>.allocate(capacity: 1)
    private let trailers = UnsafeMutablePointer<Headers>.allocate(capacity: 1)
    private let streamFacts = UnsafeMutablePointer<StreamFacts>.allocate(capacity: 1)
    private let streamState: UnsafeMutableRawPointer
    private let streamStateSize: Int
    private var handle = StreamHandle(slot: .max - 1, generation: 0)
    private var isConnected = false
    private var isAsking = false
    private var isDecoding = false
    private var input = ByteChunk()
    private var more = ChunkQueue()
    private var inputEnded = false
    /// Something has come since the question was sent.
    private var hasAnswer = false
    /// Bytes of the answer's body so far.
    private var bodyCount = 0
    private var judge: any AnswerJudge

    init(worker: Worker, pool: ClusterPool, endpoint: Endpoint, codec: any ClientCodec, question: any RequestQuestion) {
        self.codec = codec
        self.question = question
        judge = question.makeJudge()
        let layout = type(of: codec)._streamStateLayout
        streamStateSize = max(16, layout.size)
        unsafe streamState = .allocate(byteCount: streamStateSize, alignment: max(16, layout.alignment))
        unsafe request.initialize(to: RequestHead())
        unsafe response.initialize(to: ResponseHead())
        unsafe trailers.initialize(to: Headers())
        unsafe streamFacts.initialize(to: StreamFacts())
        super.init(worker: worker, pool: pool, endpoint: endpoint)
        unsafe link.initialize(to: CodecLink(host: self, output: innerOutput))
    }

    deinit {
        if isConnected { unsafe codec._end(block) }
        unsafe link.deinitialize(count: 1).deallocate()
        unsafe request.deinitialize(count: 1).deallocate()
        unsafe response.deinitialize(count: 1).deallocate()
        unsafe trailers.deinitialize(count: 1).deallocate()
        unsafe streamFacts.deinitialize(count: 1).deallocate()
        unsafe streamState.deallocate()
    }

    // MARK: The question

    override func ask() {
        prepare()
        do throws(Fault) {
            if !isConnected {
                unsafe try codec._connect(block, &link.pointee)
                isConnected = true
                isShared = unsafe link.pointee.version == .http2
            }
            let message = question.message
            unsafe try codec._requestHead(block, &request.pointee, message.isEmpty, handle, &link.pointee)
            if !message.isEmpty {
                var chunk = unsafe worker.pages.chunk(copying: message.span.bytes)
                unsafe try codec._requestBody(block, &chunk, true, handle, &link.pointee)
            }
        } catch {
            return lose("\(error.reason)")
        }
        isAsking = true
        scheduleFlush()
    }

    private func prepare() {
        handle.generation &+= 1
        hasAnswer = false
        bodyCount = 0
        judge = question.makeJudge()
        unsafe response.pointee.reset()
        unsafe trailers.pointee.reset()
        unsafe streamFacts.pointee = StreamFacts()
        unsafe streamState.initializeMemory(as: UInt8.self, repeating: 0, count: streamStateSize)
        unsafe request.pointee.reset()
        unsafe question.fill(&request.pointee, for: endpoint)
    }

    override func abandon() {
        if isConnected, isAsking { unsafe codec._reset(block, handle, &link.pointee) }
        isAsking = false
        close()
    }

    override var canAsk: Bool {
        guard isConnected else { return true }
        return unsafe !flags.contains(.peerClosed) && codec._isReusable(block) && codec._freeStreams(block) > 0
    }

    override var isRace: Bool { isAsking && handle.generation > 1 && !hasAnswer }

    // MARK: The answer

    override func received(_ chunk: consuming ByteChunk, last: Bool) {
        if chunk.isEmpty && !last { return }
        hasAnswer = hasAnswer || !chunk.isEmpty
        if input.isEmpty && more.isEmpty { input = chunk } else { more.append(chunk) }
        if last { inputEnded = true }
        // Between two questions nothing is expected but the end; over HTTP/2 the protocol may have something to say.
        if !isAsking, !isShared || last { return lose("upstream.closed") }
        decode()
        if isShared { scheduleFlush() }
    }

    private func decode() {
        guard !isDecoding else { return }
        isDecoding = true
        defer { isDecoding = false }
        do throws(Fault) {
            while isAsking || isShared && isConnected, !flags.contains(.closed) {
                if input.isEmpty, let next = more.popFirst() { input = next }
                guard try step(ended: inputEnded && more.isEmpty) else { return }
            }
        } catch {
            lose("\(error.reason)")
        }
    }

    /// - Returns: whether to go on.
    private func step(ended: Bool) throws(Fault) -> Bool {
        switch unsafe try codec._decode(block, &input, ended, &link.pointee) {
        case .needMore:
            if ended { throw Fault(.upstreamClosed, "upstream.closed") }
            return !more.isEmpty
        case .interimDropped: break
        case .interimHead: unsafe response.pointee.reset()
        case .responseHead(_, let last):
            unsafe judge.take(response.pointee)
            if last { answered(isWhole: true) }
        case .responseBody(_, let chunk, let last): bodyArrived(chunk, last: last)
        case .responseTrailers:
            unsafe judge.take(trailers: trailers.pointee)
            answered(isWhole: true)
        case .reset(_, let fault): throw fault
        case .close: throw Fault(.upstreamProtocol, "upstream.out_of_step")
        }
        return true
    }

    private func bodyArrived(_ chunk: consuming ByteChunk, last: Bool) {
        let room = PayloadSettings.limit - bodyCount
        bodyCount += chunk.count
        if isShared { unsafe codec._consumed(block, chunk.count, handle, &link.pointee) }
        judge.take(chunk.bytes.extracting(first: room))
        // More is not read: what it would cost is out of proportion.
        if last || bodyCount >= PayloadSettings.limit { answered(isWhole: last) }
    }

    private func answered(isWhole: Bool) {
        isAsking = false
        unsafe codec._streamClosed(block, handle, &link.pointee)
        if isShared { scheduleFlush() }
        // Over HTTP/2 there is more to say than answers.
        let extra = inputEnded || !isShared && (!input.isEmpty || !more.isEmpty)
        let keeps = isWhole && question.reuses && !extra && canAsk
        probe?.answered(refusal ?? .passed, keeps: keeps)
    }

    override var refusal: CheckOutcome? { judge.refusal(isOver: !isAsking) }

    // MARK: What the codec calls

    var connectionFacts: ConnectionFacts { facts }
    var now: FilterAPI.Instant { worker.instant }
    var pages: PagePool { worker.pages }
    func withDate(_ body: (RawSpan) -> Void) { worker.date.with(worker.loop, body) }
    func openStream() throws(Fault) -> StreamHandle { throw Fault(.upstreamProtocol, "upstream.opened_stream") }

    func memory(of stream: StreamHandle) -> StreamMemory {
        unsafe StreamMemory(
            handle: stream, requestHead: request, responseHead: response, facts: streamFacts, state: streamState)
    }

    func trailers(_ stream: StreamHandle, isRequest: Bool) -> UnsafeMutablePointer<Headers> { unsafe trailers }
    func armCodecTimer(after delay: Duration) {}
    func disarmCodecTimer() {}
    func setFull(_ stream: StreamHandle, _ isFull: Bool) {}

    override func fillOutput(_ room: Int) {
        if isConnected, isShared { unsafe codec._flush(block, room, &link.pointee) }
    }
}
