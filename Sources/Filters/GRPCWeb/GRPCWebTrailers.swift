internal import FilterAPI

/// Trailers as the last message of a body: a byte with the highest bit, the length, and fields as in HTTP/1, with names in
/// lower case (gRPC-Web, Message framing).
enum GRPCWebTrailers {
    static func frame(_ trailers: borrowing Headers, _ stream: borrowing Stream) -> ByteChunk {
        var text: [UInt8] = []
        for index in 0..<trailers.count {
            append(trailers.name(at: index), to: &text, inLowerCase: true)
            text += [UInt8(ascii: ":"), UInt8(ascii: " ")]
            append(trailers.value(at: index), to: &text, inLowerCase: false)
            text += [UInt8(ascii: "\r"), UInt8(ascii: "\n")]
        }
        let length = UInt32(clamping: text.count)
        let head = [0x80] + (0..<4).map { UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * $0)) }
        let frame = head + text
        // SAFETY: the bytes are copied before the array goes.
        return unsafe stream.makeChunk(copying: frame.span.bytes)
    }

    private static func append(_ part: RawSpan, to text: inout [UInt8], inLowerCase: Bool) {
        for index in 0..<part.byteCount {
            let byte = part.byte(at: index)
            text.append(inLowerCase ? ASCII.lower(byte) : byte)
        }
    }
}
