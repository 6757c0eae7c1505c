internal import Engine
internal import Glibc

/// How long an endpoint takes to answer, as seen of late: it rises to a peak at once, and falls slowly.
///
/// A mean that is weighted by age (an exponentially weighted moving average): after the time `decay` an old value
/// counts for 1 / e. What has not been seen for long fades, so that an endpoint that was slow is tried again.
struct PeakLatency {
    private let decay: Double
    /// In nanoseconds, as of the last answer; at least 1. Nil until the first.
    private(set) var estimate: Double?
    private var time: Nanoseconds = 0

    init(decay: Nanoseconds) { self.decay = max(1, Double(decay)) }

    /// An answer has begun after so long.
    mutating func observe(_ latency: Nanoseconds, at now: Nanoseconds) {
        let seen = max(1, Double(latency))
        let kept = weight(at: now)
        let rest = (estimate ?? 0) * kept
        set(seen >= rest ? seen : rest + seen * (1 - kept), at: now)
    }

    /// An answer has not come in so long: says nothing where others took longer.
    mutating func observe(atLeast latency: Nanoseconds, at now: Nanoseconds) {
        let seen = max(1, Double(latency))
        if seen >= (estimate ?? 0) * weight(at: now) { set(seen, at: now) }
    }

    /// What the estimate still counts for.
    private func weight(at now: Nanoseconds) -> Double { exp(-Double(now > time ? now - time : 0) / decay) }

    private mutating func set(_ value: Double, at now: Nanoseconds) {
        estimate = max(1, value)
        time = max(time, now)
    }

    /// How many times as long as another's answer this one's is to be expected; 1 where nothing is known of either.
    ///
    /// Both fade at the same rate, so that what they are to each other does not depend on the time now.
    @inline(__always)
    func ratio(to other: PeakLatency) -> Double {
        guard let own = estimate, let others = other.estimate else { return 1 }
        let ahead = Double(Int64(bitPattern: time &- other.time))
        return own / others * exp(ahead / decay)
    }
}
