internal import FilterAPI

/// A piece of a body, as it went by.
///
/// Its memory is the worker's and counted without atomics: a piece stays on its worker. Copy the bytes to take them
/// elsewhere.
public struct BodyPiece {
    private let box: Box

    private final class Box {
        let chunk: ByteChunk
        init(_ chunk: consuming ByteChunk) { self.chunk = chunk }
    }

    init(_ chunk: consuming ByteChunk) { box = Box(chunk) }

    /// The number of bytes; never 0.
    public var count: Int { box.chunk.count }

    /// The bytes, copied.
    public var bytes: [UInt8] { unsafe box.chunk.withUnsafeBytes { unsafe Array($0) } }

    /// The bytes as text; what is not UTF-8 is replaced.
    public var text: String { unsafe box.chunk.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) } }

    /// Looks at the bytes where they are; the memory is good inside of `body` only.
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        unsafe try box.chunk.withUnsafeBytes(body)
    }
}
