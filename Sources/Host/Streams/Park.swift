internal import FilterAPI

/// What one filter holds of one direction of a stream. Made only for streams that are held.
final class Park {
    let stage: Int
    let isRequest: Bool
    /// The head is held too; it stays where the stream keeps it.
    var holdsHead = false
    var headLast = false
    /// Bytes that the filter has seen, and asked to keep.
    var seen = ChunkQueue()
    /// The direction's end has been seen by the filter.
    var seenLast = false
    /// Trailers have been seen and are held; they stay where the stream keeps them.
    var seenTrailers = false
    /// Bytes that came while a token was out, and that the filter has not seen.
    var unseen = ChunkQueue()
    var unseenLast = false
    var unseenTrailers = false
    /// The token that is out; 0 for none.
    var token: UInt32 = 0
    /// Since when something is held, in ticks.
    let since: UInt64

    init(stage: Int, isRequest: Bool, since: UInt64) {
        self.stage = stage
        self.isRequest = isRequest
        self.since = since
    }

    var byteCount: Int { seen.byteCount + unseen.byteCount }
    var isAtEnd: Bool { seenLast || seenTrailers || (holdsHead && headLast) }
}
