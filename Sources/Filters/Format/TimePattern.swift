/// A date and a time of day in UTC, in a form that the config file chooses.
struct TimePattern: Sendable {
    /// ISO 8601 with milliseconds.
    static let standard = "%Y-%m-%dT%H:%M:%S.%3fZ"

    private enum Part: Sendable {
        case text(UInt8)
        case unit(UInt8)
        /// That many digits of the second's fraction.
        case fraction(Int)
    }

    private var parts: [Part] = []

    /// Reads the letters that `strftime` knows, as far as they do not depend on a language, and `%1f` to `%9f`.
    init(_ pattern: String, offset: Int) throws(FormatProblem) {
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
                throw FormatProblem(
                    message: "a time has no `%\(letter == 0 ? "" : String(Unicode.Scalar(letter)))`",
                    hint: "there are \(Self.letters.map { "%\($0)" }.joined(separator: " ")) and %1f to %9f",
                    offset: offset)
            }
        }
    }

    private static let letters = "YymdeHMSjbaTFszZ"

    /// Appends a time.
    ///
    /// - Parameter nanoseconds: since 1970 in UTC.
    func render(_ nanoseconds: UInt64, into text: inout ByteText) {
        render(CivilTime(seconds: Int64(nanoseconds / 1_000_000_000)), nanoseconds % 1_000_000_000, into: &text)
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

/// A point in time in the Gregorian calendar, in UTC.
struct CivilTime {
    private(set) var year = 0
    private(set) var month: UInt = 0
    private(set) var day: UInt = 0
    private(set) var secondOfDay: UInt64
    private var dayNumber: Int64
    private var seconds: Int64

    /// The first second of the year 1, and the last of the year 9999: times beyond them are these.
    private static let bounds: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

    /// - Parameter seconds: since 1970.
    init(seconds: Int64) {
        self.seconds = min(max(seconds, Self.bounds.lowerBound), Self.bounds.upperBound)
        // Rounded down, also before 1970.
        dayNumber = (self.seconds - Self.bounds.lowerBound) / 86_400 + Self.bounds.lowerBound / 86_400
        secondOfDay = UInt64(self.seconds - dayNumber * 86_400)
        // Years that begin in March have their leap day last, so that the lengths of months follow one formula.
        let shifted = dayNumber + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = UInt(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
        month = UInt(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    }

    private var isLeap: Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private var dayOfYear: UInt {
        let before: InlineArray<12, UInt> = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
        return before[Int(month) - 1] + day + (month > 2 && isLeap ? 1 : 0)
    }

    /// Appends what a letter of `strftime` stands for.
    func append(_ letter: UInt8, to text: inout ByteText) {
        switch letter {
        case UInt8(ascii: "Y"): text.append(decimal: UInt(year), width: 4)
        case UInt8(ascii: "y"): text.append(decimal: UInt(year) % 100, width: 2)
        case UInt8(ascii: "m"): text.append(decimal: month, width: 2)
        case UInt8(ascii: "d"): text.append(decimal: day, width: 2)
        case UInt8(ascii: "e"):
            if day < 10 { text.append(UInt8(ascii: " ")) }
            text.append(decimal: day)
        case UInt8(ascii: "H"): text.append(decimal: secondOfDay / 3600, width: 2)
        case UInt8(ascii: "M"): text.append(decimal: secondOfDay / 60 % 60, width: 2)
        case UInt8(ascii: "S"): text.append(decimal: secondOfDay % 60, width: 2)
        case UInt8(ascii: "j"): text.append(decimal: dayOfYear, width: 3)
        case UInt8(ascii: "b"): text.append(monthName)
        case UInt8(ascii: "a"): text.append(dayName)
        case UInt8(ascii: "s"): text.append(decimal: Int(seconds))
        case UInt8(ascii: "z"): text.append("+0000")
        case UInt8(ascii: "Z"): text.append("UTC")
        case UInt8(ascii: "F"): appendJoined("Ymd", UInt8(ascii: "-"), to: &text)
        default: appendJoined("HMS", UInt8(ascii: ":"), to: &text)
        }
    }

    private func appendJoined(_ letters: StaticString, _ separator: UInt8, to text: inout ByteText) {
        for index in 0..<letters.utf8CodeUnitCount {
            if index > 0 { text.append(separator) }
            // SAFETY: the index is below the literal's length.
            append(unsafe letters.utf8Start[index], to: &text)
        }
    }

    private var monthName: StaticString {
        let names: InlineArray<12, StaticString> = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        return names[Int(month) - 1]
    }

    private var dayName: StaticString {
        let names: InlineArray<7, StaticString> = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        return names[Int((dayNumber % 7 + 7) % 7)]
    }
}
