import FilterAPI

/// A key, and who has it.
final class Key: Sendable {
    let name: String
    private let bytes: [UInt8]
    /// With fewer characters than this somebody might guess it.
    static let shortest = 16

    init(name: String, key: String) {
        self.name = name
        bytes = Array(key.utf8)
    }

    /// What is wrong with a name or a key, without the key; nil where nothing is.
    static func problem(name: String, key: String) -> String? {
        let isName = name.utf8.allSatisfy {
            ($0 | 0x20) >= 97 && ($0 | 0x20) <= 122 || $0 >= 48 && $0 <= 57 || $0 == 95 || $0 == 45 || $0 == 46
        }
        if name.isEmpty || !isName { return "a name has letters, digits, `_`, `-` and `.` only" }
        if key.isEmpty { return "the key is empty" }
        return key.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            ? nil : "the key has other characters than visible ASCII, which no header field could carry"
    }

    static func weakness(_ key: String) -> String {
        "this key has \(key.utf8.count) characters; one of fewer than \(shortest) might be guessed"
    }

    /// Whether a text is the key, in a time that does not tell how much of it is right.
    ///
    /// SAFETY: offsets are below the counts of both.
    func matches(_ text: borrowing RawSpan) -> Bool {
        guard text.byteCount == bytes.count else { return false }
        var difference: UInt8 = 0
        for index in bytes.indices {
            difference |= bytes[index] ^ (unsafe text.unsafeLoad(fromByteOffset: index, as: UInt8.self))
        }
        return difference == 0
    }
}

/// All keys at one time, found by a hash that nobody outside can compute: how long a search takes says nothing of how
/// near a guess was.
final class KeyTable: Sendable {
    private let byHash: [Int: [Key]]
    let count: Int

    init(_ keys: [(name: String, key: String)]) {
        count = keys.count
        byHash = Dictionary(grouping: keys, by: { Self.hash(Array($0.key.utf8)) })
            .mapValues { $0.map { Key(name: $0.name, key: $0.key) } }
    }

    /// The key that a text is; nil where it is none.
    func find(_ text: borrowing RawSpan) -> Key? {
        let hash = unsafe text.withUnsafeBytes { bytes in
            var hasher = Hasher()
            unsafe hasher.combine(bytes: bytes)
            return hasher.finalize()
        }
        guard let candidates = byHash[hash] else { return nil }
        for key in candidates where key.matches(text) { return key }
        return nil
    }

    private static func hash(_ bytes: [UInt8]) -> Int {
        var hasher = Hasher()
        unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        return hasher.finalize()
    }
}
