internal import FilterAPI
internal import Filters

/// Which requests a log has, ready to be asked for each of them. Belongs to one worker.
final class AccessLogCondition {
    /// What is known of a request that has ended.
    struct Case {
        /// On the clock that the facts use.
        let now: Instant
        /// 64 random bits, the same for all logs of the listener.
        let lot: UInt64
        let connection: ConnectionFacts
        let isHTTP: Bool
    }

    private let statuses: [ClosedRange<Int>]
    private let minNanoseconds: UInt64
    private let flags: ResponseFlags
    private let reasons: [String]
    private let requests: RouteTable?
    private let sample: Percent?
    private let any: [AccessLogCondition]
    private let not: [AccessLogCondition]

    /// From settings.
    ///
    /// - Returns: nil where they would not pass their own check.
    init?(_ settings: AccessLogConditionSettings) {
        statuses = settings.status.compactMap { StatusRange($0)?.bounds }
        minNanoseconds = settings.minDuration?.wholeNanoseconds ?? 0
        flags = settings.flags.reduce(into: []) { flags, name in
            flags.formUnion(name == "any" ? ResponseFlags(rawValue: .max) : ResponseFlags(named: name) ?? [])
        }
        reasons = settings.reasons
        sample = settings.sample
        any = settings.any.compactMap { AccessLogCondition($0) }
        not = settings.not.compactMap { AccessLogCondition($0) }
        if let request = settings.request {
            guard let table = try? RouteTable([request]) else { return nil }
            requests = table
        } else {
            requests = nil
        }
        guard any.count == settings.any.count, not.count == settings.not.count else { return nil }
    }

    /// Whether a lot has to be drawn.
    var draws: Bool { sample != nil || any.contains { $0.draws } || not.contains { $0.draws } }

    /// Whether a request is to be logged. What costs least is asked first.
    func holds(_ facts: borrowing StreamFacts, _ request: borrowing RequestHead, _ one: borrowing Case) -> Bool {
        if let sample, !sample.covers(one.lot) { return false }
        if !statuses.isEmpty, !holds(facts.status) { return false }
        if !flags.isEmpty, facts.flags.isDisjoint(with: flags) { return false }
        if minNanoseconds > 0, duration(facts, one) < minNanoseconds { return false }
        if !reasons.isEmpty, !holds(facts.reason) { return false }
        if let requests, !one.isHTTP || requests.match(request, on: one.connection) < 0 { return false }
        for condition in not where condition.holds(facts, request, one) { return false }
        if any.isEmpty { return true }
        for condition in any where condition.holds(facts, request, one) { return true }
        return false
    }

    private func holds(_ status: Int) -> Bool {
        for range in statuses where range.contains(status) { return true }
        return false
    }

    private func duration(_ facts: borrowing StreamFacts, _ one: borrowing Case) -> UInt64 {
        let end = facts.responseEnd > .none ? facts.responseEnd : one.now
        return facts.start > .none && end > facts.start ? end.nanoseconds - facts.start.nanoseconds : 0
    }

    /// A beginning ends where a part of the reason does.
    private func holds(_ reason: StaticString) -> Bool {
        // SAFETY: a literal's bytes stay.
        let text = unsafe UnsafeBufferPointer(start: reason.utf8Start, count: reason.utf8CodeUnitCount)
        for wanted in reasons {
            let size = wanted.utf8.count
            guard text.count >= size, unsafe text.prefix(size).elementsEqual(wanted.utf8) else { continue }
            if unsafe text.count == size || text[size] == UInt8(ascii: ".") || wanted.hasSuffix(".") { return true }
        }
        return false
    }
}

/// Random bits, quickly; good enough to draw lots with.
struct LotGenerator {
    private var state: UInt64

    init() {
        var generator = SystemRandomNumberGenerator()
        state = generator.next()
    }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}
