package import FilterAPI

/// Reads a chunked body (RFC 9112 section 7.1), in as many pieces as it comes in. Body bytes go out as slices.
package struct ChunkedDecoder {
    /// What was read.
    package enum Piece: ~Copyable {
        case needMore
        case bytes(ByteChunk, last: Bool)
        /// The last chunk is over; what follows are the lines of the trailers, of which the last one is empty.
        case trailers
    }

    private enum State {
        case size, afterSize, inExtension, sizeLineFeed, data, dataReturn, dataLineFeed, trailers
    }

    private static let extensionLimit = 256

    private var state = State.size
    private var digits: UInt8 = 0
    private let isRequest: Bool
    private var extensionBytes = 0
    private var overhead = 0
    private var remaining: UInt64 = 0
    private var bodyBytes = 0
    /// Bytes of body that may come; a chunk that would be too much is refused before any of it is passed on.
    private let bodyLimit: Int

    package init(_ role: HeadParser.Role, bodyLimit: Int = .max) {
        isRequest = role == .request
        self.bodyLimit = bodyLimit
    }

    private func malformed(_ reason: StaticString) -> Fault {
        isRequest ? Fault(.badRequest, reason) : Fault(.upstreamProtocol, reason)
    }

    /// Reads on.
    package mutating func next(_ input: inout ByteChunk) throws(Fault) -> Piece {
        while !input.isEmpty {
            if state == .data { return data(&input) }
            if state == .trailers { return .trailers }
            try skipLines(&input)
        }
        return .needMore
    }

    private mutating func data(_ input: inout ByteChunk) -> Piece {
        let count = Int(min(remaining, UInt64(input.count)))
        let bytes = input.splitFirst(count)
        remaining -= UInt64(count)
        bodyBytes += count
        if remaining == 0 { state = .dataReturn }
        return .bytes(bytes, last: remaining == 0 && takeEnd(&input))
    }

    /// Where nothing but the plain end follows in the same piece, the body is over with these bytes.
    private func takeEnd(_ input: inout ByteChunk) -> Bool {
        guard input.count >= 7, ASCII.equal(input.bytes.extracting(first: 7), "\r\n0\r\n\r\n") else { return false }
        input.removeFirst(7)
        return true
    }

    /// Reads what stands between pieces of data.
    private mutating func skipLines(_ input: inout ByteChunk) throws(Fault) {
        var used = 0
        let count = input.count
        while used < count, state != .data, state != .trailers {
            let byte = unsafe input.bytes.unsafeLoad(fromByteOffset: used, as: UInt8.self)
            used &+= 1
            try step(byte)
        }
        input.removeFirst(used)
    }

    @inline(__always)
    private mutating func step(_ byte: UInt8) throws(Fault) {
        switch state {
        case .size:
            if let value = ByteClass.hexValue(byte) { return try addDigit(value) }
            guard digits > 0 else { throw malformed("http1.bad_chunk_size") }
            try afterSize(byte)
        case .afterSize: try afterSize(byte)
        case .inExtension: try inExtension(byte)
        case .sizeLineFeed: try endOfSize(byte)
        case .dataReturn:
            guard byte == 0x0D else { throw malformed("http1.bad_chunk_end") }
            state = .dataLineFeed
        case .dataLineFeed:
            guard byte == 0x0A else { throw malformed("http1.bad_chunk_end") }
            state = .size
        case .data, .trailers: break
        }
    }

    private mutating func addDigit(_ value: Int) throws(Fault) {
        digits += 1
        guard digits <= 16, remaining >> 59 == 0 else { throw malformed("http1.chunk_too_large") }
        remaining = remaining << 4 | UInt64(value)
    }

    private mutating func afterSize(_ byte: UInt8) throws(Fault) {
        switch byte {
        case 0x0D: state = .sizeLineFeed
        case UInt8(ascii: ";"):
            state = .inExtension
            try countExtension()
        default: throw malformed("http1.bad_chunk_size")
        }
    }

    private mutating func endOfSize(_ byte: UInt8) throws(Fault) {
        guard byte == 0x0A else { throw malformed("http1.bad_chunk_line_end") }
        guard remaining <= UInt64(bodyLimit - bodyBytes) else { throw Fault(.bodyTooLarge, "http1.body_too_large") }
        digits = 0
        extensionBytes = 0
        state = remaining == 0 ? .trailers : .data
    }

    private mutating func inExtension(_ byte: UInt8) throws(Fault) {
        if byte == 0x0D {
            state = .sizeLineFeed
            return
        }
        guard byte >= 0x20 && byte != 0x7F || byte == 0x09 else { throw malformed("http1.bad_chunk_extension") }
        try countExtension()
    }

    /// Extensions are dropped; more of them than body is an attack.
    private mutating func countExtension() throws(Fault) {
        extensionBytes += 1
        overhead += 1
        guard extensionBytes <= Self.extensionLimit, overhead <= 16 * bodyBytes + 16 * 1024 else {
            throw malformed("http1.chunk_extension_too_large")
        }
    }
}
