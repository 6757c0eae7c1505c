internal import FilterAPI

/// A time as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7, IMF-fixdate).
enum HTTPDate {
    private static let months: [StaticString] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Seconds since 1970; nil where the text is no such time. The name of the day is not looked at, and the two
    /// obsolete forms are not read.
    static func seconds(_ text: borrowing RawSpan) -> Int64? {
        guard text.byteCount == 29, ASCII.equal(text.extracting(3..<5), ", "),
            ASCII.equal(text.extracting(25..<29), " GMT"),
            let day = ASCII.number(text.extracting(5..<7)), (1...31).contains(day),
            let month = months.firstIndex(where: { ASCII.equal(text.extracting(8..<11), $0) }),
            let year = ASCII.number(text.extracting(12..<16)), year >= 1970,
            let hour = ASCII.number(text.extracting(17..<19)), hour < 24,
            let minute = ASCII.number(text.extracting(20..<22)), minute < 60,
            let second = ASCII.number(text.extracting(23..<25)), second <= 60
        else { return nil }
        let days = CivilDate.daysSince1970(year: year, month: month + 1, day: day)
        return Int64(days * 86_400 + hour * 3600 + minute * 60 + second)
    }
}
