public import FilterAPI

/// Answers requests over a limit with 429: so many in so much time, exactly, over all workers.
public final class RateLimit: HTTPFilter {
    /// What is known of one request.
    public struct State {
        /// The buckets of the filter's own rules, by the head as it came by: filters below may change it.
        var keys = BucketKeys()
        /// The rest of the rules has been looked at; a further try of the same request is not a second request.
        var isDecided = false
        /// It has been counted as one that passed.
        var isCounted = false
        /// What is left of the limit that is nearest, for the answer.
        var tightest: Allowance?
    }

    /// Heads, and where requests go.
    public static let interest: Interest = [.lifetime, .requestHead, .clusterAttached, .responseHead]

    /// The head of a request only where a rule looks at it, that of a response only where it is to tell of the limit.
    public var activeInterest: Interest {
        var interest = Self.interest
        if rules.rules.allSatisfy(\.isByRoute) { interest.remove(.requestHead) }
        if fieldUse != .always { interest.remove(.responseHead) }
        return interest
    }

    /// Name and summary.
    public static let manifest = Manifest(
        id: "rate_limit", summary: "Answers requests with 429 where more have come in some time than may.",
        stats: [
            .counter("ok", "Requests that were within their limits."),
            .counter("rate_limited", "Requests that were over a limit."),
            .counter("keys_dropped", "Buckets of clients or values that had to make room for others."),
        ],
        reasons: [
            .init(
                "rate_limit.over_limit", [],
                "More requests have come than `rate_limit` lets pass, in all or from one client.",
                lookAt: "Who sends so many; `requests`, `per` and `burst` of the rule.",
                outcome: "429, or the `status` of the filter, with the flag RL", origin: .client)
        ])

    /// One bit each in a byte of the state.
    static let mostRules = 8

    private let rules: LimitRules
    private let tables: BucketTables
    private var routeRules: [ObjectIdentifier: LimitRules?] = [:]
    private let decidesAtHead: Bool
    private let status: Status
    private let body: String?
    private let fieldUse: FieldUse
    private let fields: RateLimitFields
    private let passed: Counter
    private let limited: Counter
    private let keysDropped: Counter

    /// Finds the buckets that other workers and generations have.
    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        let tables = worker.shared("buckets.\(settings.maxKeys)") { BucketTables(maxKeys: settings.maxKeys) }
        self.tables = tables
        var rules: [LimitRule] = []
        for (index, rule) in settings.allRules.enumerated() {
            let key = settings.rules.isEmpty ? "requests" : "rules[\(index)].requests"
            rules.append(LimitRule(rule, of: nil, tables, place: worker.place(of: key)))
        }
        self.rules = LimitRules(rules)
        decidesAtHead = settings.decide == .head
        status = Status(settings.status)
        body = settings.body
        fieldUse = settings.headers
        fields = RateLimitFields(settings.headerPrefix)
        passed = worker.counter("ok")
        limited = worker.counter("rate_limited")
        keysDropped = worker.counter("keys_dropped")
    }

    /// Begins without a bucket.
    public func open(_ stream: inout Stream) throws(Fault) -> State? { State() }

    /// Finds the buckets, and decides where the route does not matter.
    public func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        for (index, rule) in rules.rules.enumerated() where !rule.isByRoute {
            state.keys.set(index, rule.key(head, stream.connection, route: nil))
        }
        if decidesAtHead {
            decide(rules, state.keys, &state, &stream)
            state.keys.removeAll()
        }
        return .next
    }

    /// Decides by what the route says.
    public func clusterAttached(_ state: inout State, _ stream: inout Stream) throws(Fault) -> Step {
        guard !state.isDecided else { return .next }
        state.isDecided = true
        guard let rules = rules(for: stream) else { return .next }
        var keys = rules === self.rules ? state.keys : BucketKeys()
        for (index, rule) in rules.rules.enumerated() where rules !== self.rules || rule.isByRoute {
            keys.set(index, key(of: rule, stream))
        }
        decide(rules, keys, &state, &stream)
        return .next
    }

    private func key(of rule: LimitRule, _ stream: borrowing Stream) -> UInt64? {
        let connection = stream.connection
        let route = stream.facts.route
        return stream.withRequest { rule.key($0, connection, route: route) }
    }

    /// What the route says in place of the filter's rules; worked out once per route.
    ///
    /// - Returns: nil where its requests are not limited.
    private func rules(for stream: borrowing Stream) -> LimitRules? {
        guard let id = stream.routeSettingsID else { return rules }
        if let known = routeRules[id] { return known }
        let found = makeRules(stream.routeSettings(of: self), stream.facts.route)
        routeRules.updateValue(found, forKey: id)
        return found
    }

    private func makeRules(_ own: RouteSettings?, _ route: FactName?) -> LimitRules? {
        guard let own else { return rules }
        if !own.enabled { return nil }
        let settings = own.allRules
        if settings.isEmpty { return rules }
        let place = "route \(route?.text ?? "without a name")"
        return LimitRules(
            settings.map { LimitRule($0, of: RouteOfRule(name: route?.text), tables, place: place) })
    }

    private func decide(_ rules: LimitRules, _ keys: BucketKeys, _ state: inout State, _ stream: inout Stream) {
        guard keys.count > 0 else { return }
        let now = BucketRate.ticks(stream.now.nanoseconds)
        var dropped: UInt64 = 0
        let verdict = rules.take(keys, at: now, &state.tightest, dropped: &dropped)
        if dropped > 0 { keysDropped.add(dropped) }
        switch verdict {
        case .passed:
            if !state.isCounted { passed.add() }
            state.isCounted = true
        case .refused(let rule, let full): refuse(rule, full: full, at: now, &stream)
        }
    }

    private func refuse(_ rule: LimitRule, full: UInt64, at now: UInt64, _ stream: inout Stream) {
        limited.add()
        stream.facts.flags.insert(.rateLimited)
        stream.facts.reason = "rate_limit.over_limit"
        stream.facts.limit = rule.limit
        stream.reply(status, body: body ?? rule.body) { head in
            head.headers.set(.retryAfter, max(1, rule.rate.secondsToNext(full, at: now)))
            if fieldUse != .off { fields.set(&head.headers, Allowance(rule, full: full, at: now)) }
        }
    }

    /// Tells what is left, where it is to be told.
    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        if fieldUse == .always, let left = state.tightest { fields.set(&head.headers, left) }
        return .leave
    }
}
