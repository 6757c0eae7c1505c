/// How long to wait before a further try: a random time below a limit that doubles with each try, so that those who
/// failed together do not come back together.
struct Backoff {
    /// The limit before the second try, in nanoseconds.
    let base: UInt64
    /// The largest limit, in nanoseconds.
    let cap: UInt64

    /// The pause in nanoseconds.
    ///
    /// - Parameters:
    ///   - retry: which further try it is, from 1.
    ///   - lot: 64 random bits.
    func pause(before retry: Int, lot: UInt64) -> UInt64 {
        let factor = (UInt64(1) << UInt64(min(max(retry, 1), 32))) - 1
        let (product, overflow) = base.multipliedReportingOverflow(by: factor)
        let limit = overflow ? cap : min(product, cap)
        return lot.multipliedFullWidth(by: limit).high
    }
}
