internal import FilterAPI

/// When an upstream wants to be asked again (RFC 9110 section 10.2.3): a number of seconds, or a date.
enum RetryAfter {
    /// Nanoseconds from now; nil where the answer does not say, or says it in no known form.
    ///
    /// - Parameter wallClock: the time of day in seconds since 1970.
    static func pause(_ headers: borrowing Headers, wallClock: @autoclosure () -> Int64) -> UInt64? {
        let index = headers.index(of: .retryAfter)
        guard index >= 0 else { return nil }
        let value = headers.value(at: index)
        let seconds: Int64
        if let number = ASCII.number(value) {
            seconds = Int64(number)
        } else if let date = HTTPDate.seconds(value) {
            seconds = max(0, date - wallClock())
        } else {
            return nil
        }
        let (nanoseconds, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : nanoseconds
    }
}
