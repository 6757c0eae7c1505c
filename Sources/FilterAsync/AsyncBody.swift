public import FilterAPI

/// A body, piece by piece as it comes.
///
/// ```swift
/// for try await piece in request.body { digest.add(piece.bytes) }
/// ```
///
/// Whoever sends is not read from while nobody asks for the next piece. For one task at a time.
public struct AsyncBody: AsyncSequence {
    /// Pieces.
    public typealias Element = BodyPiece

    let port: BodyPort
    let round: UInt64

    /// Asks for one piece after the other.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let port: BodyPort
        let round: UInt64

        /// The next piece; nil where the body has ended.
        ///
        /// - Throws: `CancellationError` where the stream has ended; the ``/FilterAPI/Fault`` of an answer that broke off.
        public nonisolated(nonsending) mutating func next() async throws -> BodyPiece? {
            try await port.next(round)
        }
    }

    /// From where reading has come to.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(port: port, round: round) }

    /// All of it.
    ///
    /// - Parameter limit: the most bytes that are wanted.
    /// - Throws: ``/FilterAPI/Fault/Kind/bodyTooLarge`` where there are more; and as the iterator does.
    public nonisolated(nonsending) func collect(upTo limit: ByteSize = .kibibytes(64)) async throws -> [UInt8] {
        var all: [UInt8] = []
        while let piece = try await port.next(round) {
            guard all.count + piece.count <= limit.bytes else {
                throw Fault(.bodyTooLarge, "async.body_too_large", origin: .sluice)
            }
            all += piece.bytes
        }
        return all
    }
}
