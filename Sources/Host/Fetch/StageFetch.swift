internal import FilterAPI

/// A request of a stage of a stream, whose answer is shown to it as a whole.
final class StageFetch: Fetch {
    let stage: Int
    let isRequest: Bool
    /// What was held for it; 0 where nothing was.
    let token: UInt32
    private unowned(unsafe) let asker: any FetchAsker
    private let bodyLimit: Int
    private var answer = FetchAnswer()
    private var pieces = ChunkQueue()

    init(
        _ request: consuming FetchRequest, for asker: any FetchAsker, stage: Int, isRequest: Bool, token: UInt32,
        cluster: ClusterID, deadline: FilterAPI.Instant, desk: FetchDesk
    ) {
        unsafe self.asker = asker
        self.stage = stage
        self.isRequest = isRequest
        self.token = token
        bodyLimit = request.bodyLimit.bytes
        super.init(request, number: desk.nextNumber(), cluster: cluster, deadline: deadline, desk: desk)
    }

    override func head(_ head: inout ResponseHead, last: Bool) {
        answer.head.assign(from: head)
        if last { tell() }
    }

    override func body(_ chunk: consuming ByteChunk, last: Bool) {
        pieces.append(chunk)
        if pieces.byteCount > bodyLimit {
            cancel()
            answer.fault = Fault(.filterFailed, "fetch.body_too_large")
            return tell()
        }
        if last { tell() }
    }

    override func failed(_ fault: Fault) {
        answer.fault = fault
        tell()
    }

    private func tell() {
        answer.body = whole()
        unsafe asker.fetched(self, &answer)
    }

    private func whole() -> ByteChunk {
        if pieces.count <= 1 { return pieces.popFirst() ?? ByteChunk() }
        return unsafe asker.pages.chunk(capacity: pieces.byteCount) { memory in
            var filled = 0
            while let piece = pieces.popFirst() {
                unsafe piece.withUnsafeBytes { bytes in
                    guard let base = bytes.baseAddress else { return }
                    unsafe (memory + filled).copyMemory(from: base, byteCount: bytes.count)
                }
                filled += piece.count
            }
            return filled
        }
    }
}

/// Whose stages send requests of their own; takes its requests back before it goes.
protocol FetchAsker: StreamHost {
    func fetched(_ fetch: StageFetch, _ answer: inout FetchAnswer)
}
