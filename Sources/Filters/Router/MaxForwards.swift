internal import FilterAPI

/// `Max-Forwards`, by which OPTIONS and TRACE say how many proxies they may pass (RFC 9110 section 7.6.2).
enum MaxForwards {
    /// Counts this proxy.
    ///
    /// - Returns: whether the request may go no further. Other methods, and values that are no number, are left alone.
    static func isSpent(_ head: inout RequestHead) -> Bool {
        guard head.method == .options || head.method == .trace else { return false }
        guard let number = head.headers.withValue(.maxForwards, { ASCII.number($0) }) ?? nil else { return false }
        if number == 0 { return true }
        head.headers.set(.maxForwards, number - 1)
        return false
    }
}
