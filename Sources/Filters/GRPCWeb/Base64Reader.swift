internal import FilterAPI

/// Reads Base64 (RFC 4648 section 4) that comes in pieces.
///
/// Whoever writes may pad wherever it has nothing more to say for now, and go on behind that: each four characters stand
/// for themselves.
struct Base64Reader {
    /// The bits of the characters of the four that have come.
    private var bits: UInt32 = 0
    /// How many of the four have come, and how many of them are padding.
    private var count = 0
    private var padding = 0

    private static let fault = Fault(.badRequest, "grpc_web.bad_base64")

    /// The text ends.
    ///
    /// - Throws: where it does so in the middle of four characters.
    func end() throws(Fault) {
        if count > 0 { throw Self.fault }
    }

    /// Reads a piece.
    ///
    /// - Returns: what comes out of it.
    /// - Throws: where it is not Base64.
    mutating func decode(_ chunk: borrowing ByteChunk, _ stream: borrowing Stream) throws(Fault) -> ByteChunk {
        var reader = self
        var isGood = true
        let decoded = unsafe stream.makeChunk(capacity: (chunk.count + 3) / 4 * 3 + 3) { memory in
            var written = 0
            let input = chunk.bytes
            for index in 0..<input.byteCount {
                guard unsafe reader.take(input.byte(at: index), memory, &written) else {
                    isGood = false
                    break
                }
            }
            return written
        }
        self = reader
        guard isGood else { throw Self.fault }
        return decoded
    }

    /// Takes a character.
    ///
    /// SAFETY: `memory` has room for three bytes more for each four characters, and for four that were begun.
    private mutating func take(_ byte: UInt8, _ memory: UnsafeMutableRawPointer, _ written: inout Int) -> Bool {
        if byte == UInt8(ascii: "=") {
            guard count >= 2 else { return false }
            padding += 1
            bits <<= 6
        } else {
            let value = Self.value(byte)
            guard value < 64, padding == 0 else { return false }
            bits = bits << 6 | UInt32(value)
        }
        count += 1
        guard count == 4 else { return true }
        // Bits that stand for nothing are 0, so that nobody reads anything else.
        guard bits & (padding == 2 ? 0xFFFF : padding == 1 ? 0xFF : 0) == 0 else { return false }
        for place in 0..<(3 - padding) {
            unsafe memory.storeBytes(
                of: UInt8(truncatingIfNeeded: bits >> UInt32(16 - 8 * place)), toByteOffset: written, as: UInt8.self)
            written += 1
        }
        self = Base64Reader()
        return true
    }

    private static func value(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: 255
        }
    }
}
