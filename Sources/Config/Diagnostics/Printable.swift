/// Text of a config file, made safe for a terminal: each control character becomes one visible character, so that
/// carets stay below what they point at.
package enum Printable {
    package static func text(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            result.append(scalar == "\t" ? "\u{2192}" : isControl(scalar) ? "\u{FFFD}" : scalar)
        }
        return String(result)
    }

    /// Control characters, and those that turn the direction of writing round.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: return true
        default: return false
        }
    }
}
