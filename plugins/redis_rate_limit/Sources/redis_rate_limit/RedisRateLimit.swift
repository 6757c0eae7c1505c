public import FilterAPI

/// Answers requests over a limit with 429, where many proxies share the limit in a Redis.
public final class RedisRateLimit: HTTPFilter {
    /// Name, statistics, reasons.
    public static let manifest = Manifest(
        id: "redis_rate_limit", summary: "Answers requests over a limit that many proxies share in Redis.",
        status: .trial,
        stats: [
            .counter("allowed", "Requests that Redis let pass."),
            .counter("limited", "Requests that were over a limit."),
            .counter("errors", "Requests for which Redis did not decide, by `reason`."),
            .counter("failure_mode_allowed", "Requests that passed although Redis did not decide."),
            .histogram("wait", .time, "How long requests were held for Redis."),
        ],
        reasons: [
            .init(
                "redis_rate_limit.over_limit", [],
                "More requests have come than `redis_rate_limit` lets pass, to all proxies that share the limit.",
                lookAt: "Who sends so many; `requests`, `per` and `burst` of the limit.",
                outcome: "429, or the `status` of the filter, with the flag RL", origin: .client),
            .init(
                "redis_rate_limit.undecided", [],
                "Redis did not say whether the request is within its limit: it was not there, too slow, or had too much to do.",
                lookAt: "The filter's counter `errors`, the log, and Redis; `on_error`, `timeout` and `max_pending`.",
                outcome: "503", origin: .sluice),
        ])

    /// Where requests go, which is when it is decided; and when they are answered.
    public static var interest: Interest { [.clusterAttached, .responseHead, .lifetime] }

    /// What is known of one request.
    public struct State {
        var decision: Decision?
        /// A further try of the same request is not a second request.
        var isAsked = false
        var isCounted = false
    }

    /// A limit, and which bucket of it a request takes from.
    private struct Rule {
        let subject: Subject
        let limit: Limit
    }

    private let settings: Settings
    private let answer: LimitAnswer
    private let keyPrefix: String
    private let place: String
    let store: RedisStore
    private let ownRule: Rule?
    private var routeRules: [ObjectIdentifier: Rule?] = [:]
    /// Of routes that set nothing, where each has a bucket of its own.
    private var namedRules: [String: Rule] = [:]
    private let allowed: Counter
    private let limited: Counter
    private let errors: [Failure: Counter]
    private let failureModeAllowed: Counter
    private let wait: Histogram

    /// Finds the Redis that other workers and filters have.
    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        guard let text = settings.server, let address = ServerAddress(text) else {
            throw ConfigurationFault("is not where a server could be", key: "server")
        }
        let server = RedisServer(
            name: text, address: address, user: settings.user, password: settings.password,
            database: settings.database, timeout: settings.timeout)
        let log = worker.filterLog
        // The name of shared state is never shown.
        store = try worker.shared("\(server) \(settings.maxPending)") { () throws(ConfigurationFault) in
            try RedisStore(server, maxPending: settings.maxPending, log)
        }
        self.settings = settings
        answer = try LimitAnswer(settings)
        keyPrefix = "\(settings.keyPrefix):\(settings.name ?? worker.owner)"
        place = worker.place(of: "requests")
        allowed = worker.counter("allowed")
        limited = worker.counter("limited")
        let family = worker.counters("errors", labels: ["reason"])
        errors = Dictionary(uniqueKeysWithValues: Failure.allCases.map { ($0, family[$0.rawValue]) })
        failureModeAllowed = worker.counter("failure_mode_allowed")
        wait = worker.histogram("wait")
        if settings.requests != nil, settings.rule.by?.word != "route" {
            let subject = Subject(settings.rule, prefix: keyPrefix, ofRoute: nil)
            ownRule = Rule(
                subject: subject, limit: Limit(settings.rule, whose: subject.whose, answer: answer, place: place))
        } else {
            ownRule = nil
        }
    }

    /// Begins unasked.
    public func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> State? { State() }

    /// Asks Redis, and holds the request until it has answered, or the time is over.
    public func clusterAttached(_ state: inout State, _ stream: inout FilterAPI.Stream) throws(Fault) -> Step {
        guard !state.isAsked else { return .next }
        state.isAsked = true
        guard let rule = rule(for: stream) else { return .next }
        let connection = stream.connection
        guard let key = stream.withRequest({ rule.subject.key($0, connection) }) else { return .next }
        let decision = Decision(rule.limit, key, stream.pause())
        state.decision = decision
        stream.wake(after: settings.timeout)
        store.ask(decision)
        return .hold
    }

    /// What holds for a request; nil where nothing does.
    private func rule(for stream: borrowing FilterAPI.Stream) -> Rule? {
        let route = stream.facts.route?.text ?? ""
        if let id = stream.routeSettingsID {
            if let known = routeRules[id] { return known }
            let found = makeRule(stream.routeSettings(of: self), route)
            routeRules.updateValue(found, forKey: id)
            return found
        }
        if let ownRule { return ownRule }
        if let known = namedRules[route] { return known }
        let found = makeRule(nil, route)
        namedRules[route] = found
        return found
    }

    private func makeRule(_ own: RouteSettings?, _ route: String) -> Rule? {
        if own?.enabled == false { return nil }
        let isOwn = own?.requests != nil
        if !isOwn, let ownRule { return ownRule }
        guard let settings = isOwn ? own?.rule : settings.rule, settings.requests != nil else { return nil }
        let subject = Subject(settings, prefix: keyPrefix, ofRoute: route)
        return Rule(
            subject: subject,
            limit: Limit(
                settings, whose: subject.whose, answer: answer,
                place: isOwn ? "route \(route.isEmpty ? "without a name" : route)" : place))
    }

    /// Redis has not answered in time.
    public func wake(_ state: inout State, _ stream: inout FilterAPI.Stream) throws(Fault) {
        state.decision?.finish(.failed(.timeout))
    }

    /// Counts, and tells what is left where it is to be told.
    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        stream.cancelWake()
        count(&state, &stream)
        if answer.fieldUse == .always, let decision = state.decision,
            case .passed(let missing)? = decision.outcome?.verdict
        {
            for field in decision.limit.fields(missing) { head.headers.set(field.name, field.value) }
        }
        return .leave
    }

    /// Counts what has not been counted, before logs are written.
    public func close(_ state: inout State, _ ending: Ending, _ stream: inout FilterAPI.Stream) {
        state.decision?.abandon()
        count(&state, &stream)
    }

    /// Counters belong to workers, and so do facts: what a token was used for is told when the stream is seen again.
    private func count(_ state: inout State, _ stream: inout FilterAPI.Stream) {
        guard !state.isCounted, let decision = state.decision, let outcome = decision.outcome else { return }
        state.isCounted = true
        wait.record(outcome.nanoseconds)
        switch outcome.verdict {
        case .passed: allowed.add()
        case .limited:
            limited.add()
            stream.facts.flags.insert(.rateLimited)
            stream.facts.reason = "redis_rate_limit.over_limit"
            stream.facts.limit = decision.limit.reached
        case .failed(let failure):
            errors[failure]?.add()
            if decision.limit.isClosed {
                stream.facts.reason = "redis_rate_limit.undecided"
            } else {
                failureModeAllowed.add()
            }
        }
    }
}
