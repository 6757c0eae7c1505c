/// Turns names of Swift properties into keys of the file.
package enum KeyNames {
    /// The name in snake case.
    ///
    /// `cacheTTL` is `cache_ttl`, `maxHTTPHeads` is `max_http_heads`; a name that is in snake case already stays.
    package static func fileName(of name: String) -> String {
        let letters = Array(name.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(letters.count + 4)
        for (index, letter) in letters.enumerated() {
            guard isUpper(letter) else {
                result.append(letter)
                continue
            }
            if index > 0, startsWord(letters, at: index) { result.append(UInt8(ascii: "_")) }
            result.append(letter | 0x20)
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// A capital starts a word unless it stands inside an acronym; the last capital of one starts the word after it.
    private static func startsWord(_ letters: [UInt8], at index: Int) -> Bool {
        let before = letters[index - 1]
        if isLower(before) || isDigit(before) { return true }
        guard isUpper(before), index + 1 < letters.count else { return false }
        return isLower(letters[index + 1])
    }

    private static func isUpper(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }
    private static func isLower(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
