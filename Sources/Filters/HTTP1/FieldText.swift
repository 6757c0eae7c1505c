internal import FilterAPI

/// Small readings of field values.
enum FieldText {
    /// Whether a value is a comma-separated list of tokens that ends with `chunked`, and has it only there.
    static func endsWithChunked(_ value: RawSpan) -> Bool {
        var start = 0
        while start <= value.byteCount {
            let end = position(of: UInt8(ascii: ","), in: value, from: start)
            let part = ASCII.trimmed(value.extracting(start..<end))
            let isLast = end == value.byteCount
            guard isToken(part), ASCII.equalIgnoringCase(part, "chunked") == isLast else { return false }
            start = end + 1
        }
        return true
    }

    private static func isToken(_ text: RawSpan) -> Bool {
        for index in 0..<text.byteCount
        where unsafe !ByteClass.isToken(text.unsafeLoad(fromByteOffset: index, as: UInt8.self)) {
            return false
        }
        return text.byteCount > 0
    }

    /// The `timeout` of a `Keep-Alive` field in seconds; -1 where it has none.
    static func keepAliveTimeout(_ value: RawSpan) -> Int {
        var start = 0
        while start < value.byteCount {
            let end = position(of: UInt8(ascii: ","), in: value, from: start)
            let equals = position(of: UInt8(ascii: "="), in: value, from: start)
            if equals < end, ASCII.equalIgnoringCase(ASCII.trimmed(value.extracting(start..<equals)), "timeout"),
                let seconds = ASCII.number(ASCII.trimmed(value.extracting(equals + 1..<end)))
            {
                return seconds
            }
            start = end + 1
        }
        return -1
    }

    private static func position(of byte: UInt8, in text: RawSpan, from start: Int) -> Int {
        var position = start
        while position < text.byteCount, unsafe text.unsafeLoad(fromByteOffset: position, as: UInt8.self) != byte {
            position += 1
        }
        return position
    }
}
