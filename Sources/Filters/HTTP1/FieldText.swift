internal import FilterAPI

/// Small readings of field values.
enum FieldText {
    /// Whether a value is a comma-separated list of tokens, at least one.
    static func isTokenList(_ value: UnsafeRawBufferPointer) -> Bool {
        var count = 0
        for unsafepart in unsafe value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            var bytes = unsafe part[...]
            while let first = unsafe bytes.first, Scan.isBlank(first) { unsafe bytes = bytes.dropFirst() }
            while let last = unsafe bytes.last, Scan.isBlank(last) { unsafe bytes = bytes.dropLast() }
            guard unsafe !bytes.isEmpty, unsafe bytes.allSatisfy({ ByteClass.isToken($0) }) else { return false }
            count += 1
        }
        return count > 0
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
