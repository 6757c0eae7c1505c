/// A date and a time of day, in a form that the config file chooses.
struct TimePattern: Sendable {
    /// ISO 8601 with milliseconds, in UTC.
    static let standard = "%Y-%m-%dT%H:%M:%S.%3fZ"
    /// The same with the zone's distance from UTC.
    static let standardLocal = "%Y-%m-%dT%H:%M:%S.%3f%z"

    private enum Part: Sendable {
        case text(UInt8)
        case unit(UInt8)
        /// That many digits of the second's fraction.
        case fraction(Int)
    }

    private var parts: [Part] = []
    /// Whether it is ``standard``, which nearly every line of a log has.
    private let isStandard: Bool

    /// Reads the letters that `strftime` knows, as far as they do not depend on a language, and `%1f` to `%9f`.
    init(_ pattern: String) throws(ArgumentProblem) {
        isStandard = pattern == Self.standard
        let text = Array(pattern.utf8)
        var index = 0
        while index < text.count {
            defer { index += 1 }
            guard text[index] == UInt8(ascii: "%") else {
                parts.append(.text(text[index]))
                continue
            }
            index += 1
            let letter = index < text.count ? text[index] : 0
            if letter == UInt8(ascii: "%") {
                parts.append(.text(letter))
            } else if Self.letters.utf8.contains(letter) {
                parts.append(.unit(letter))
            } else if letter == UInt8(ascii: "f") {
                parts.append(.fraction(9))
            } else if (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(letter), index + 1 < text.count,
                text[index + 1] == UInt8(ascii: "f")
            {
                index += 1
                parts.append(.fraction(Int(letter - UInt8(ascii: "0"))))
            } else {
                throw ArgumentProblem(
                    "a time has no `%\(letter == 0 ? "" : String(Unicode.Scalar(letter)))`",
                    hint: "there are \(Self.letters.map { "%\($0)" }.joined(separator: " ")) and %1f to %9f")
            }
        }
    }

    private static let letters = "YymdeHMSjbaTFszZ"

    /// Appends a time.
    ///
    /// - Parameters:
    ///   - nanoseconds: since 1970 in UTC.
    ///   - isLocal: whether it is written in the zone of this machine.
    func render(_ nanoseconds: UInt64, isLocal: Bool = false, into text: inout ByteText) {
        let seconds = Int64(nanoseconds / 1_000_000_000)
        let fraction = nanoseconds % 1_000_000_000
        if isStandard, !isLocal {
            return CivilTime(seconds: seconds).appendStandard(milliseconds: fraction / 1_000_000, to: &text)
        }
        render(CivilTime(seconds: seconds, zone: isLocal ? .local(at: seconds) : .utc), fraction, into: &text)
    }

    /// Appends a time in whole seconds.
    ///
    /// - Parameter seconds: since 1970 in UTC, negative for times before it.
    func render(seconds: Int64, into text: inout ByteText) { render(CivilTime(seconds: seconds), 0, into: &text) }

    private func render(_ date: CivilTime, _ fraction: UInt64, into text: inout ByteText) {
        for part in parts {
            switch part {
            case .text(let byte): text.append(byte)
            case .unit(let letter): date.append(letter, to: &text)
            case .fraction(let digits):
                var value = fraction
                for _ in digits..<9 { value /= 10 }
                text.append(decimal: value, width: digits)
            }
        }
    }
}
