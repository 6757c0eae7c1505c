internal import FilterAPI

/// Small readings of field values.
enum FieldText {
    /// Whether a value is a comma-separated list of tokens, at least one.
    static func isTokenList(_ value: UnsafeRawBufferPointer) -> Bool {
        var count = 0
        for unsafe part in unsafe value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            var bytes = unsafe part[...]
            while let first = unsafe bytes.first, Scan.isBlank(first) { unsafe bytes = bytes.dropFirst() }
            while let last = unsafe bytes.last, Scan.isBlank(last) { unsafe bytes = bytes.dropLast() }
            guard unsafe !bytes.isEmpty, unsafe bytes.allSatisfy({ ByteClass.isToken($0) }) else { return false }
            count += 1
        }
        return count > 0
    }

    /// The `timeout` of a `Keep-Alive` field; -1 where it has none.
    static func keepAliveTimeout(_ value: UnsafeRawBufferPointer) -> Int {
        for unsafe part in unsafe value.split(separator: UInt8(ascii: ",")) {
            let text = unsafe String(decoding: part, as: UTF8.self)
            let pieces = text.split(separator: "=")
            guard pieces.count == 2, pieces[0].lowercased().hasSuffix("timeout"),
                let seconds = Int(pieces[1].filter { $0 != " " && $0 != "\"" }), seconds >= 0
            else { continue }
            return seconds
        }
        return -1
    }
}
