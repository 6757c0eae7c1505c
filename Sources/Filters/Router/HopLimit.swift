internal import FilterAPI

/// How many more proxies a request for OPTIONS or TRACE may pass (RFC 9110 section 7.6.2).
enum HopLimit {
    /// Counts this proxy.
    ///
    /// - Returns: false where the request may go no further. A field that is no number is left alone.
    static func takeOne(from headers: inout Headers) -> Bool {
        guard let limit = headers.withValue(.maxForwards, { ASCII.number($0) }) ?? nil else { return true }
        if limit == 0 { return false }
        headers.set(.maxForwards, limit - 1)
        return true
    }
}
