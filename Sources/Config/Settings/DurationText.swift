/// Durations as the file writes them: `250ms`, `5s`, `1m30s`, `1h`.
package enum DurationText {
    /// A hundred years in milliseconds: longer timers are mistakes, and sums of shorter ones cannot overflow.
    static let limit = Int64(100) * 36_525 * 864_000
    /// The units, largest first, in milliseconds.
    private static let units: [(name: String, size: Int64)] = [
        ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]

    static func read(_ text: String) -> TextReading<Duration> {
        if text == "0" { return .value(.zero) }
        if text.hasPrefix("-") { return .outOfRange("a duration cannot be negative") }
        var rest = Substring(text)
        var total = Int64(0)
        var smallest = Int64.max
        guard !rest.isEmpty else { return .malformed(hint: nil) }
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) }
            rest = rest[digits.endIndex...]
            let name = rest.prefix { !("0"..."9").contains($0) }
            rest = rest[name.endIndex...]
            guard !digits.isEmpty, let unit = units.first(where: { $0.name == name }), unit.size < smallest else {
                return .malformed(hint: hint(for: text))
            }
            smallest = unit.size
            guard let count = Int64(digits), count <= limit / unit.size, total + count * unit.size <= limit else {
                return .outOfRange("a duration cannot be longer than 100 years")
            }
            total += count * unit.size
        }
        return .value(.milliseconds(total))
    }

    private static func hint(for text: String) -> String? {
        let plain = text.filter { $0 != " " }
        if plain.allSatisfy(\.isASCIIDigit) { return "write `\(plain)s`" }
        if let fraction = fractionHint(plain) { return fraction }
        let unit = plain.drop { $0.isASCIIDigit }
        let number = plain.prefix { $0.isASCIIDigit }
        if !number.isEmpty {
            switch unit.lowercased() {
            case "s", "sec", "secs", "second", "seconds": return "write `\(number)s`"
            case "m", "min", "mins", "minute", "minutes": return "write `\(number)m`"
            case "h", "hr", "hour", "hours": return "write `\(number)h`"
            case "ms", "msec", "millis", "milliseconds": return "write `\(number)ms`"
            case "d", "day", "days": return Int(number).flatMap { $0 < 36_525 ? "write `\($0 * 24)h`" : nil }
            default: break
            }
        }
        return trailingHint(plain) ?? "the units are h, m, s and ms, largest first"
    }

    /// `1h30`: the unit after the last number is missing.
    private static func trailingHint(_ text: String) -> String? {
        let end = text.reversed().prefix { $0.isASCIIDigit }.count
        let head = text.dropLast(end)
        guard end > 0, let unit = head.last, let index = units.firstIndex(where: { $0.name == String(unit) }),
            index + 1 < units.count, case .value = read(text + units[index + 1].name)
        else { return nil }
        return "write `\(text)\(units[index + 1].name)`"
    }

    /// `1.5s`: whole numbers of a smaller unit say the same.
    private static func fractionHint(_ text: String) -> String? {
        guard text.contains("."),
            let unit = units.first(where: { $0.name == text.drop { $0.isASCIIDigit || $0 == "." } }),
            let number = Double(String(text.dropLast(unit.name.utf8.count))), number < 1_000_000
        else { return nil }
        let milliseconds = (number * Double(unit.size)).rounded()
        guard milliseconds >= 1 else { return "the smallest unit is 1ms" }
        return "write `\(Int(milliseconds))ms`"
    }

    /// The shortest text that reads as this duration; parts of a millisecond are dropped.
    package static func write(_ duration: Duration) -> String {
        let parts = duration.components
        var rest = parts.seconds * 1_000 + parts.attoseconds / 1_000_000_000_000_000
        guard rest > 0 else { return "0s" }
        var text = ""
        for unit in units where rest >= unit.size {
            text += "\(rest / unit.size)\(unit.name)"
            rest %= unit.size
        }
        return text
    }
}

extension Character {
    /// Whether this is one of 0 to 9.
    var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}
