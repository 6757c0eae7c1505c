internal import FilterAPI

/// Reads numbers and vectors, as TLS writes them (RFC 8446 section 3), from the front of bytes.
struct TLSVector: ~Escapable {
    private let bytes: RawSpan
    private var position = 0

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) { self.bytes = bytes }

    /// Whether everything was read.
    var isAtEnd: Bool { position == bytes.byteCount }

    /// A number of so many bytes, the highest first.
    mutating func number(_ size: Int) throws(ClientHelloProblem) -> Int {
        guard bytes.byteCount - position >= size else { throw .cutShort }
        var number = 0
        for _ in 0..<size {
            number = number << 8 | Int(bytes.byte(at: position))
            position += 1
        }
        return number
    }

    /// Steps over so many bytes.
    mutating func skip(_ count: Int) throws(ClientHelloProblem) {
        guard bytes.byteCount - position >= count else { throw .cutShort }
        position += count
    }

    /// The content of a vector whose length is written in so many bytes.
    @_lifetime(copy self)
    mutating func vector(_ lengthSize: Int) throws(ClientHelloProblem) -> RawSpan {
        let count = try number(lengthSize)
        guard bytes.byteCount - position >= count else { throw .cutShort }
        defer { position += count }
        return bytes.extracting(position..<position + count)
    }
}
