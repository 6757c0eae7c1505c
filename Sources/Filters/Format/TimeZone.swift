internal import Glibc

/// A zone in which clocks show a time.
struct TimeZone: Sendable {
    /// Seconds that its clocks are ahead of UTC.
    let offset: Int64
    /// What it is called there and then: `CET`.
    let name: String

    static let utc = TimeZone(offset: 0, name: "UTC")

    /// That of this machine, which depends on the time of the year.
    ///
    /// - Parameter seconds: since 1970 in UTC.
    static func local(at seconds: Int64) -> TimeZone {
        var time = time_t(seconds)
        var parts = unsafe tm()
        // SAFETY: both are valid for the call; the name is a text of the library's that stays.
        guard unsafe localtime_r(&time, &parts) != nil else { return .utc }
        let name = unsafe parts.tm_zone.map { unsafe String(cString: $0) }
        return TimeZone(offset: Int64(unsafe parts.tm_gmtoff), name: name ?? "")
    }

    /// Appends the distance from UTC as RFC 822 writes it: `+0100`.
    func appendOffset(to text: inout ByteText) {
        text.append(UInt8(ascii: offset < 0 ? "-" : "+"))
        let minutes = offset.magnitude / 60
        text.append(decimal: minutes / 60, width: 2)
        text.append(decimal: minutes % 60, width: 2)
    }
}
