/// A point in time in the Gregorian calendar.
struct CivilTime {
    private(set) var year = 0
    private(set) var month: UInt = 0
    private(set) var day: UInt = 0
    private(set) var secondOfDay: UInt64
    private var dayNumber: Int64
    private var seconds: Int64
    private let zone: TimeZone

    /// The first second of the year 1, and the last of the year 9999: times beyond them are these.
    private static let bounds: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

    /// - Parameters:
    ///   - seconds: since 1970 in UTC.
    ///   - zone: whose clocks show it.
    init(seconds: Int64, zone: TimeZone = .utc) {
        self.zone = zone
        self.seconds = Self.within(seconds)
        let shown = Self.within(self.seconds + zone.offset)
        // Rounded down, also before 1970.
        dayNumber = (shown - Self.bounds.lowerBound) / 86_400 + Self.bounds.lowerBound / 86_400
        secondOfDay = UInt64(shown - dayNumber * 86_400)
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

    private static func within(_ seconds: Int64) -> Int64 { min(max(seconds, bounds.lowerBound), bounds.upperBound) }

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
        case UInt8(ascii: "z"): zone.appendOffset(to: &text)
        case UInt8(ascii: "Z"): text.append(zone.name)
        case UInt8(ascii: "F"): appendJoined("Ymd", UInt8(ascii: "-"), to: &text)
        default: appendJoined("HMS", UInt8(ascii: ":"), to: &text)
        }
    }

    /// Appends what ``TimePattern/standard`` makes of it, by a way without a loop.
    func appendStandard(milliseconds: UInt64, to text: inout ByteText) {
        unsafe text.write(upTo: 24) { memory, _ in
            // SAFETY: all that is written lies within the 24 bytes that were asked for.
            func put(_ byte: UInt8, _ index: Int) {
                unsafe memory.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
            }
            func digit(_ value: UInt64, _ index: Int) {
                put(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value), index)
            }
            func pair(_ value: UInt64, _ index: Int) {
                digit(value / 10, index)
                digit(value % 10, index + 1)
            }
            let year = UInt64(year)
            pair(year / 100, 0)
            pair(year % 100, 2)
            put(UInt8(ascii: "-"), 4)
            pair(UInt64(month), 5)
            put(UInt8(ascii: "-"), 7)
            pair(UInt64(day), 8)
            put(UInt8(ascii: "T"), 10)
            pair(secondOfDay / 3600, 11)
            put(UInt8(ascii: ":"), 13)
            pair(secondOfDay / 60 % 60, 14)
            put(UInt8(ascii: ":"), 16)
            pair(secondOfDay % 60, 17)
            put(UInt8(ascii: "."), 19)
            digit(milliseconds / 100, 20)
            pair(milliseconds % 100, 21)
            put(UInt8(ascii: "Z"), 23)
            return 24
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
