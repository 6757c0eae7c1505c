/// A range of statuses as config files write it: `404`, `500-599`, `5xx`, `>=400`, `<200`.
struct StatusRange {
    let bounds: ClosedRange<Int>

    /// - Returns: nil where the text is none.
    init?(_ text: String) {
        if text.utf8.count == 3, text.hasSuffix("xx"), let hundred = text.first?.wholeNumberValue {
            guard (1...9).contains(hundred) else { return nil }
            bounds = hundred * 100...hundred * 100 + 99
            return
        }
        for (sign, make) in Self.comparisons where text.hasPrefix(sign) {
            guard let number = Self.number(text.dropFirst(sign.utf8.count).drop { $0 == " " }) else { return nil }
            bounds = make(number)
            return
        }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard let first = parts.first.flatMap(Self.number), let last = parts.last.flatMap(Self.number),
            parts.count <= 2, first <= last
        else { return nil }
        bounds = first...last
    }

    private static let comparisons: [(String, @Sendable (Int) -> ClosedRange<Int>)] = [
        (">=", { $0...999 }), ("<=", { 0...$0 }), (">", { min($0 + 1, 999)...999 }), ("<", { 0...max($0 - 1, 0) }),
    ]

    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 3, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }
}
