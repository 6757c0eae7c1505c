/// Percentages as the file writes them: `20%`, `0.5%`, `20`.
enum PercentText {
    /// - Returns: millionths of the whole.
    static func read(_ text: String) -> TextReading<Int> {
        if text.hasPrefix("-") { return .outOfRange("a percentage cannot be negative") }
        let number = text.hasSuffix("%") ? text.dropLast() : text[...]
        let parts = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let digits = parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isASCIIDigit) }
        guard digits, let whole = parts.first, whole.count <= 3, let count = Int(whole) else {
            return .malformed(hint: hint(for: text))
        }
        var fraction = 0
        if parts.count == 2 {
            guard parts[1].count <= 4 else {
                return .outOfRange("a percentage has at most four places behind the point")
            }
            fraction = Int(parts[1].padded(to: 4)) ?? 0
        }
        let millionths = count * 10_000 + fraction
        return millionths <= 1_000_000 ? .value(millionths) : .outOfRange("a percentage is at most 100%")
    }

    private static func hint(for text: String) -> String? {
        let plain = text.filter { $0 != " " }
        if plain != text, case .value = read(plain) { return "write `\(plain)`" }
        return "from `0%` to `100%`"
    }

    /// The shortest text that reads as this percentage.
    static func write(_ millionths: Int) -> String {
        let fraction = millionths % 10_000
        guard fraction != 0 else { return "\(millionths / 10_000)%" }
        var digits = String(10_000 + fraction).dropFirst()
        while digits.last == "0" { digits = digits.dropLast() }
        return "\(millionths / 10_000).\(digits)%"
    }
}

extension Substring {
    /// The digits with zeros behind them.
    fileprivate func padded(to count: Int) -> String { self + String(repeating: "0", count: count - self.count) }
}
