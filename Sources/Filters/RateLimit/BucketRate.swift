/// The numbers of a token bucket, and what they mean for the one number that is kept of it: when it is full again (the
/// generic cell rate algorithm).
///
/// A bucket that nobody has taken from is full, and so is one whose time has passed: neither has to be kept. Times are
/// in ticks, sixteenths of a nanosecond, so that a token that takes a fraction of a nanosecond to grow is not far off.
struct BucketRate: Hashable {
    static let ticksPerNanosecond: UInt64 = 16

    /// How long one token takes to grow, in ticks; rounded down, so that none comes late.
    let interval: UInt64
    /// How long an empty bucket takes to be full.
    let depth: UInt64

    /// From settings that have passed their check.
    ///
    /// - Parameters:
    ///   - requests: how many tokens grow in `per`.
    ///   - per: in nanoseconds.
    ///   - burst: how many tokens a full bucket has.
    init(requests: Int, per: UInt64, burst: Int) {
        interval = max(1, per * Self.ticksPerNanosecond / UInt64(max(1, requests)))
        depth = interval * UInt64(max(1, burst))
    }

    /// A time in ticks; those beyond nine years after the machine's start are one.
    static func ticks(_ nanoseconds: UInt64) -> UInt64 { min(nanoseconds, 1 << 58) * ticksPerNanosecond }

    /// Takes a token.
    ///
    /// - Parameters:
    ///   - full: when the bucket is full.
    ///   - now: may be earlier than what other workers have called now.
    /// - Returns: when it is full after that; nil where it has none.
    func take(from full: UInt64, at now: UInt64) -> UInt64? {
        let start = max(full, now)
        return start - now <= depth - interval ? start + interval : nil
    }

    /// Puts a token back that was taken.
    func giveBack(to full: UInt64) -> UInt64 { full > interval ? full - interval : 0 }

    /// How many whole tokens there are.
    func remaining(_ full: UInt64, at now: UInt64) -> Int {
        let missing = max(full, now) - now
        return missing < depth ? Int((depth - missing) / interval) : 0
    }

    /// Seconds until there is a token, rounded up; 0 where there is one.
    func secondsToNext(_ full: UInt64, at now: UInt64) -> Int {
        let missing = max(full, now) - now
        return missing > depth - interval ? Self.seconds(missing - (depth - interval)) : 0
    }

    /// Seconds until the bucket is full, rounded up.
    func secondsToFull(_ full: UInt64, at now: UInt64) -> Int { Self.seconds(max(full, now) - now) }

    private static func seconds(_ ticks: UInt64) -> Int {
        let second = 1_000_000_000 * ticksPerNanosecond
        return Int(ticks / second + (ticks % second > 0 ? 1 : 0))
    }
}
