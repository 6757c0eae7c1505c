/// Sizes as the file writes them: `512B`, `64KiB`, `10MB`.
enum SizeText {
    private static let units: [(name: String, size: Int)] = [
        ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("KB", 1_000), ("MB", 1_000_000),
        ("GB", 1_000_000_000),
    ]

    static func read(_ text: String) -> TextReading<Int> {
        if text == "0" { return .value(0) }
        if text.hasPrefix("-") { return .outOfRange("a size cannot be negative") }
        let digits = text.prefix { $0.isASCIIDigit }
        let name = text[digits.endIndex...]
        guard !digits.isEmpty, let unit = units.first(where: { $0.name == name }) else {
            return .malformed(hint: hint(for: text))
        }
        guard let count = Int(digits), count <= Int.max / unit.size else { return .outOfRange("the size is too large") }
        return .value(count * unit.size)
    }

    private static func hint(for text: String) -> String? {
        let plain = text.filter { $0 != " " }
        let number = plain.prefix { $0.isASCIIDigit }
        guard !number.isEmpty else { return "the units are B, KiB, MiB, GiB, KB, MB and GB" }
        switch plain[number.endIndex...].lowercased() {
        case "": return plainHint(number)
        case "b", "byte", "bytes": return "write `\(number)B`"
        case "k", "kib", "kb", "ki": return "write `\(number)KiB`"
        case "m", "mib", "mb", "mi": return "write `\(number)MiB`"
        case "g", "gib", "gb", "gi": return "write `\(number)GiB`"
        default: return "the units are B, KiB, MiB, GiB, KB, MB and GB, after a whole number"
        }
    }

    private static func plainHint(_ number: Substring) -> String {
        guard let count = Int(number), count > 0, count % 1024 == 0 else { return "write `\(number)B`" }
        return "write `\(write(count))`"
    }

    /// The shortest text that reads as this size.
    static func write(_ bytes: Int) -> String {
        guard bytes != 0 else { return "0" }
        for unit in [units[3], units[2], units[1]] where bytes % unit.size == 0 {
            return "\(bytes / unit.size)\(unit.name)"
        }
        return "\(bytes)B"
    }
}
