internal import FilterAPI

/// What is needed to send a request once more. Used for stream after stream, so that keeping a request allocates
/// nothing.
final class RetryRecord {
    var head = RequestHead()
    /// The bytes of the body that have come so far; shared with who sends them, not copied.
    var body = ChunkQueue()
    /// Memory that is kept for the body: a small piece may keep a whole page.
    private var pinned = 0
    /// The request has come to its end.
    var isComplete = false
    /// The body is too large to be kept, or has trailers.
    private(set) var isLost = false

    /// Keeps a head, as it is now.
    func begin(_ head: borrowing RequestHead, last: Bool) {
        self.head.assign(from: head)
        isComplete = last
        isLost = false
        pinned = 0
    }

    /// Keeps a piece of the body; nothing of it where this makes it larger than the limit.
    func keep(_ chunk: borrowing ByteChunk, limit: Int) {
        guard !isLost else { return }
        pinned += chunk.pinnedBytes
        let isTooLarge = body.byteCount + chunk.count > limit || pinned / 4 > limit &+ 16_384
        if isTooLarge, limit != .max { lose() } else { body.append(chunk.share()) }
    }

    /// The request cannot be sent again any more.
    func lose() {
        isLost = true
        body.removeAll()
    }

    /// Sends the request anew below the filter.
    func replay(_ stream: inout Stream) throws(Fault) {
        if !body.isEmpty || isComplete, head.expectsContinue {
            // The client has sent what it waited with.
            head.expectsContinue = false
            head.headers.remove(.expect)
        }
        let isWhole = isComplete && body.isEmpty
        try stream.restartBelow(head, last: isWhole)
        var again = ChunkQueue()
        while let chunk = body.popFirst() {
            stream.sendBelow(chunk.share())
            again.append(chunk)
        }
        body = again
        if isComplete && !isWhole { stream.endRequestBelow() }
    }

    /// Lets go of everything but the memory.
    func end() { body.removeAll() }
}
