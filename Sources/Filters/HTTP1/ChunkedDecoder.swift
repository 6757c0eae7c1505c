internal import FilterAPI

/// Reads a chunked body (RFC 9112 section 7.1), in as many pieces as it comes in. Body bytes go out as slices.
struct ChunkedDecoder {
    /// What was read.
    enum Piece: ~Copyable {
        case needMore
        case bytes(ByteChunk, last: Bool)
        /// The body is over, and trailers came with it.
        case trailers
    }

    private enum State {
        case size, afterSize, inExtension, sizeLineFeed, data, dataReturn, dataLineFeed, trailers
    }

    private static let extensionLimit = 256

    private var state = State.size
    private var remaining: UInt64 = 0
    private var digits = 0
    private var extensionBytes = 0
    private var overhead = 0
    private var bodyBytes = 0
    /// Bytes of body that may come; a chunk that would be too much is refused before any of it is passed on.
    private let bodyLimit: Int
    private var trailerParser: HeadParser
    private let role: HeadParser.Role

    init(_ role: HeadParser.Role, bodyLimit: Int = .max) {
        self.role = role
        self.bodyLimit = bodyLimit
        trailerParser = HeadParser(trailersOf: role)
    }

    private func malformed(_ reason: StaticString) -> Fault {
        role == .request ? Fault(.badRequest, reason) : Fault(.upstreamProtocol, reason)
    }

    /// Reads on.
    ///
    /// - Parameter trailers: takes the trailers, if there are any; must be empty.
    mutating func next(
        _ input: inout ByteChunk, trailers: () -> UnsafeMutablePointer<Headers>, _ limits: HeadLimits
    ) throws(Fault) -> Piece {
        while !input.isEmpty {
            if state == .data {
                let count = Int(min(remaining, UInt64(input.count)))
                let bytes = input.splitFirst(count)
                remaining -= UInt64(count)
                bodyBytes += count
                if remaining == 0 { state = .dataReturn }
                return .bytes(bytes, last: remaining == 0 && takeEnd(&input))
            }
            if state == .trailers {
                let headers = unsafe trailers()
                guard unsafe try trailerParser.parse(&input, into: &headers.pointee, limits) else { return .needMore }
                if unsafe headers.pointee.isEmpty { return .bytes(ByteChunk(), last: true) }
                return .trailers
            }
            let byte = unsafe input.bytes.unsafeLoad(as: UInt8.self)
            input.removeFirst(1)
            try step(byte)
        }
        return .needMore
    }

    /// Where nothing but the plain end follows in the same piece, the body is over with these bytes.
    private mutating func takeEnd(_ input: inout ByteChunk) -> Bool {
        guard input.count >= 7, ASCII.equal(input.bytes.extracting(first: 7), "\r\n0\r\n\r\n") else { return false }
        input.removeFirst(7)
        return true
    }

    private mutating func step(_ byte: UInt8) throws(Fault) {
        switch state {
        case .size:
            if let value = ByteClass.hexValue(byte) { return try addDigit(value) }
            guard digits > 0 else { throw malformed("http1.bad_chunk_size") }
            try afterSize(byte)
        case .afterSize: try afterSize(byte)
        case .inExtension: try inExtension(byte)
        case .sizeLineFeed:
            guard byte == 0x0A else { throw malformed("http1.bad_chunk_line_end") }
            guard remaining <= UInt64(bodyLimit - bodyBytes) else { throw Fault(.bodyTooLarge, "http1.body_too_large") }
            digits = 0
            extensionBytes = 0
            state = remaining == 0 ? .trailers : .data
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
