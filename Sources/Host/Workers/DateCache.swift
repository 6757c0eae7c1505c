internal import Engine
internal import FilterAPI
internal import Filters

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
