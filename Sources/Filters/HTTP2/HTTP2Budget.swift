internal import FilterAPI

/// How much work without use a peer may cause: tokens that come back with time.
///
/// Frames that cost little to send and something to read, or that throw work away, each take some. libnghttp2 has bounds of
/// its own for a part of them; see docs/hardening.md for which version has which.
struct HTTP2Budget {
    /// Frames that are read and forgotten: PING, SETTINGS, PRIORITY, unknown ones, DATA without bytes, credit.
    private var idle: Bucket
    /// Streams that were given up, by either side, for what the peer did.
    private var resets: Bucket
    /// Frames of streams that were given up by us.
    private var late: Bucket
    /// What nobody needs to bother about.
    private var credit = 0

    init() {
        idle = Bucket(most: 1000, perSecond: 100)
        resets = Bucket(most: 100, perSecond: 3)
        late = Bucket(most: 10_000, perSecond: 1000)
    }

    /// A frame that carries nothing for anybody.
    ///
    /// - Returns: whether there was room for it.
    mutating func takeIdle(_ now: Instant) -> Bool { idle.take(now) }

    /// A frame of a stream that was given up; the peer may have sent many before it heard of that.
    mutating func takeLate(_ now: Instant) -> Bool { late.take(now) }

    /// Credit from the peer: useful as often as we send, and no more often.
    mutating func takeCredit(_ now: Instant) -> Bool {
        if credit > 0 {
            credit -= 1
            return true
        }
        return idle.take(now)
    }

    /// We have sent DATA, for which a peer may give credit, for the stream and for the connection.
    mutating func sentData() { credit = min(credit + 4, 10_000) }

    /// A stream has begun: the peer may give credit for it.
    mutating func began() { credit = min(credit + 2, 10_000) }

    /// A stream was given up.
    mutating func takeReset(_ now: Instant) -> Bool { resets.take(now) }

    /// A stream has ended as it should: who asks and takes an answer may give up as many as it takes, as clients do that
    /// send the same call to two servers and take the answer that comes first.
    mutating func completed() { resets.put() }

    /// Tokens up to a number, that come back with time.
    struct Bucket {
        private let most: UInt64
        private let nanosecondsEach: UInt64
        private var left: UInt64
        private var filledAt: UInt64 = 0

        init(most: UInt64, perSecond: UInt64) {
            self.most = most
            nanosecondsEach = 1_000_000_000 / perSecond
            left = most
        }

        mutating func put() { left = min(most, left + 1) }

        mutating func take(_ now: Instant) -> Bool {
            if left < most {
                let fresh = (now.nanoseconds &- filledAt) / nanosecondsEach
                if fresh > 0 {
                    left = min(most, left + min(fresh, most))
                    filledAt = now.nanoseconds
                }
            } else {
                filledAt = now.nanoseconds
            }
            guard left > 0 else { return false }
            left -= 1
            return true
        }
    }
}
