internal import Engine
internal import FilterAPI

/// The present time as HTTP writes it, made once per second: `Mon, 23 Nov 2026 08:00:00 GMT` (RFC 9110 section 5.6.7).
final class DateCache {
    private var second: UInt64 = .max
    private var text: InlineArray<29, UInt8> = InlineArray(repeating: 0x20)

    /// Shows the date of this turn.
    func with(_ loop: EventLoop, _ body: (RawSpan) -> Void) {
        // The loop's clock only says when to look at the real one.
        if loop.now / 1_000_000_000 != second {
            second = loop.now / 1_000_000_000
            format(Int(Syscalls.wallClock() / 1_000_000_000))
        }
        unsafe body(text.span.bytes)
    }

    private static let days: [StaticString] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months: [StaticString] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private func format(_ seconds: Int) {
        let day = seconds / 86_400
        let rest = seconds % 86_400
        let date = CivilDate(daysSince1970: day)
        put(0, Self.days[day % 7])
        put(3, ", ")
        digits(5, date.day, 2)
        put(8, Self.months[date.month - 1])
        digits(12, date.year, 4)
        digits(17, rest / 3600, 2)
        put(19, ":")
        digits(20, rest / 60 % 60, 2)
        put(22, ":")
        digits(23, rest % 60, 2)
        put(26, "GMT")
    }

    private func put(_ position: Int, _ string: StaticString) {
        for offset in 0..<string.utf8CodeUnitCount { text[position + offset] = unsafe string.utf8Start[offset] }
    }

    private func digits(_ position: Int, _ number: Int, _ width: Int) {
        var rest = number
        for offset in (0..<width).reversed() {
            text[position + offset] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }
}

/// A day of the Gregorian calendar.
struct CivilDate {
    let year: Int
    let month: Int
    let day: Int

    /// Counts in eras of 400 years, whose days are always as many, with years that begin in March so that the day that
    /// comes and goes is the last one.
    init(daysSince1970 days: Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let march = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * march + 2) / 5 + 1
        month = march < 10 ? march + 3 : march - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }
}
