internal import FilterAPI

/// Limits that a request must pass all of.
final class LimitRules {
    let rules: [LimitRule]

    init(_ rules: [LimitRule]) { self.rules = rules }

    /// What becomes of a request.
    enum Verdict {
        case passed
        /// One of the limits is reached: which, and when its bucket is full.
        case refused(LimitRule, full: UInt64)
    }

    /// Takes a token for each key, or none at all.
    ///
    /// - Parameters:
    ///   - keys: the buckets; only those of the rules that are in the set.
    ///   - now: in ticks.
    ///   - tightest: becomes what is left of the limit that has the fewest tokens.
    ///   - dropped: grows by the number of buckets that had to go before they were full.
    func take(_ keys: BucketKeys, at now: UInt64, _ tightest: inout Allowance?, dropped: inout UInt64) -> Verdict {
        // Looked at before anything is taken: what is given back was missing to others meanwhile.
        if keys.count > 1 {
            for index in rules.indices where keys.has(index) {
                let rule = rules[index]
                let full = rule.table.full(keys[index])
                if rule.rate.take(from: full, at: now) == nil { return .refused(rule, full: full) }
            }
        }
        for index in rules.indices where keys.has(index) {
            let rule = rules[index]
            let outcome = rule.table.take(keys[index], rule.rate, at: now)
            guard outcome.isTaken else {
                for earlier in 0..<index where keys.has(earlier) {
                    rules[earlier].table.giveBack(keys[earlier], rules[earlier].rate)
                }
                return .refused(rule, full: outcome.full)
            }
            if outcome.hasDropped { dropped += 1 }
            let left = Allowance(rule, full: outcome.full, at: now)
            if tightest.map({ left.remaining < $0.remaining }) ?? true { tightest = left }
        }
        return .passed
    }
}

/// The keys of a request's buckets, by the number of the rule.
struct BucketKeys {
    private var keys = InlineArray<8, UInt64>(repeating: 0)
    private var isIn: UInt8 = 0

    /// How many rules the request has to pass.
    var count: Int { isIn.nonzeroBitCount }

    func has(_ rule: Int) -> Bool { isIn & (1 << UInt8(rule)) != 0 }

    subscript(rule: Int) -> UInt64 { keys[rule] }

    /// Adds the bucket of a rule; nil where the rule is not about the request.
    mutating func set(_ rule: Int, _ key: UInt64?) {
        guard let key else { return }
        keys[rule] = key
        isIn |= 1 << UInt8(rule)
    }

    mutating func removeAll() { isIn = 0 }
}
