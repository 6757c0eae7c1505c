internal import FilterAPI

/// Writes pieces of a body in Base64, each with its padding.
enum Base64Writer {
    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    static func encode(_ chunk: borrowing ByteChunk, _ stream: borrowing Stream) -> ByteChunk {
        let size = (chunk.count + 2) / 3 * 4
        return unsafe stream.makeChunk(capacity: size) { memory in
            unsafe encode(chunk.bytes, memory)
            return size
        }
    }

    /// SAFETY: `memory` has room for four bytes for each three that are begun.
    private static func encode(_ input: borrowing RawSpan, _ memory: UnsafeMutableRawPointer) {
        var written = 0
        var index = 0
        while index < input.byteCount {
            let count = min(3, input.byteCount - index)
            var bits: UInt32 = 0
            for place in 0..<3 { bits = bits << 8 | (place < count ? UInt32(input.byte(at: index + place)) : 0) }
            for place in 0..<4 {
                let character =
                    place <= count
                    // SAFETY: six bits are an index of the alphabet.
                    ? unsafe alphabet.utf8Start[Int(bits >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "=")
                unsafe memory.storeBytes(of: character, toByteOffset: written + place, as: UInt8.self)
            }
            written += 4
            index += count
        }
    }
}
