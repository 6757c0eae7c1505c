internal import FilterAPI

/// The fields that tell clients of limits, by the names of the IETF's drafts (draft-ietf-httpapi-ratelimit-headers-06)
/// or those that were common before.
struct RateLimitFields {
    private let limit: HeaderName?
    private let remaining: HeaderName?
    private let reset: HeaderName?

    init(_ prefix: RateLimit.FieldPrefix) {
        limit = HeaderName("\(prefix.rawValue)-limit")
        remaining = HeaderName("\(prefix.rawValue)-remaining")
        reset = HeaderName("\(prefix.rawValue)-reset")
    }

    func set(_ headers: inout Headers, _ allowance: Allowance) {
        guard let limit, let remaining, let reset else { return }
        headers.set(limit, allowance.limit)
        headers.set(remaining, allowance.remaining)
        headers.set(reset, allowance.secondsToFull)
    }
}

/// What is left of a limit.
struct Allowance {
    /// How many tokens a full bucket has.
    var limit: Int
    var remaining: Int
    var secondsToFull: Int

    init(_ rule: LimitRule, full: UInt64, at now: UInt64) {
        limit = rule.burst
        remaining = rule.rate.remaining(full, at: now)
        secondsToFull = rule.rate.secondsToFull(full, at: now)
    }
}
