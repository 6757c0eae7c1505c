import FilterAPI

/// A parameter of a query, found and cut out without decoding: a key has no character that must be encoded.
enum QueryParameter {
    /// RFC 3986's unreserved characters.
    static func isPlain(_ byte: UInt8) -> Bool {
        (byte | 0x20) >= 97 && (byte | 0x20) <= 122 || byte >= 48 && byte <= 57 || byte == 45 || byte == 46
            || byte == 95 || byte == 126
    }

    /// Where `name=value` stands in a target, without what separates it from others; nil where it does not.
    static func find(_ name: String, in target: String) -> Range<String.Index>? {
        guard var start = target.firstIndex(of: "?").map({ target.index(after: $0) }) else { return nil }
        while true {
            let end = target[start...].firstIndex(of: "&") ?? target.endIndex
            if target[start..<end].hasPrefix(name + "=") { return start..<end }
            guard end < target.endIndex else { return nil }
            start = target.index(after: end)
        }
    }

    /// The target without all parameters of the name.
    static func without(_ name: String, _ target: String) -> String {
        var text = target
        while let found = find(name, in: text) {
            if found.upperBound < text.endIndex {
                text.removeSubrange(found.lowerBound..<text.index(after: found.upperBound))
            } else {
                // What separates it goes too, be it `?` or `&`.
                text.removeSubrange(text.index(before: found.lowerBound)..<found.upperBound)
            }
        }
        return text
    }
}
