internal import FilterAPI

/// One direction's body between the events that bring it and the task that reads it.
final class BodyPort {
    private var pieces = ChunkQueue()
    private(set) var isEnded = false
    private var error: (any Error)?
    private var waiter = Waiter()
    /// Another number for each stream, so that who comes late reads nothing of the next one.
    private(set) var round: UInt64 = 0
    /// Called where the reader wants more than there is.
    var wantsMore: (() -> Void)?

    /// Whether a task waits for a piece.
    var isWaitedFor: Bool { waiter.isWaiting }
    /// How many bytes wait for a reader.
    var byteCount: Int { pieces.byteCount }

    /// A piece has come. Tasks that wait run inside of the executor's next `attend`.
    func push(_ chunk: consuming ByteChunk, last: Bool) {
        pieces.append(chunk)
        if last { isEnded = true }
        if last || !pieces.isEmpty { wake() }
    }

    /// No more will come.
    func fail(_ error: any Error) {
        self.error = error
        isEnded = true
        wake()
    }

    private func wake() { if let waiting = unsafe waiter.take() { unsafe waiting.resume() } }

    nonisolated(nonsending) func next(_ round: UInt64) async throws -> BodyPiece? {
        guard round == self.round else { throw CancellationError() }
        while pieces.isEmpty && !isEnded {
            unsafe await withUnsafeContinuation { continuation in
                unsafe waiter.set(continuation)
                wantsMore?()
            }
            guard round == self.round else { throw CancellationError() }
        }
        if let chunk = pieces.popFirst() {
            return BodyPiece(chunk)
        }
        if let error { throw error }
        return nil
    }

    /// Makes it as good as new; who still waits is told that the stream has ended.
    func reset() {
        round += 1
        pieces.removeAll()
        isEnded = false
        error = nil
        wake()
    }
}
