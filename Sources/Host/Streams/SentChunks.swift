internal import FilterAPI

/// What filters have sent in one direction of a stream and what has not gone on yet.
///
/// What one filter has sent may make the next one send as well, while the rest of it waits here. So there is a flush for
/// each of them, one inside of the other, and each lets go on only what was sent since the one around it began.
struct SentChunks: ~Copyable {
    private var queue = ChunkQueue()
    /// How many chunks belong to flushes that are under way; they stand in front of all others.
    private var waiting = 0

    mutating func append(_ chunk: consuming ByteChunk) { queue.append(chunk) }

    /// Begins a flush.
    mutating func beginFlush() -> Flush {
        // In this order the chunks of the flush around this one are in front again when it is over.
        for _ in 0..<waiting {
            if let chunk = queue.popFirst() { queue.append(chunk) }
        }
        return Flush(left: queue.count - waiting, waitingAround: waiting)
    }

    /// The next chunk of a flush; nil where it is over.
    mutating func next(_ flush: inout Flush) -> ByteChunk? {
        guard flush.left > 0, let chunk = queue.popFirst() else {
            waiting = min(flush.waitingAround, queue.count)
            return nil
        }
        flush.left -= 1
        waiting = queue.count
        return chunk
    }

    /// Drops all of it, of flushes under way too.
    mutating func removeAll() {
        queue.removeAll()
        waiting = 0
    }

    /// One flush.
    struct Flush {
        fileprivate var left: Int
        fileprivate let waitingAround: Int
    }
}
