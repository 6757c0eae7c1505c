public import FilterAPI

/// Sends a request once more where a try has failed, and nobody has seen anything of its answer.
///
/// Knows of no other filter: it keeps the request, and replays the chain below it. Each further try runs through the
/// filters below from the beginning, as a rule to another endpoint.
public final class Retry: HTTPFilter {
    /// What is known of one request.
    public struct State {
        var record: RetryRecord?
        var policy: RetryPolicy?
        var entry: RetryAccounts.Entry?
        /// Further tries that were made.
        var retries = 0
        var phase = Phase.trying
        /// Whether a place among those that run at once has to be given back.
        var hasPlace = false
        var isIdempotent = true
        /// Bytes of an answer that is held back; -1 where none is.
        var heldBack = -1
        /// When the present try began, and when something came last.
        var tryBegan: UInt64 = 0
        var lastActivity: UInt64 = 0
    }

    /// Where a request is.
    enum Phase {
        /// A try is running below.
        case trying
        /// Nothing is below, until a pause is over.
        case waiting
        /// An answer has gone by, or a fault was let go: there is nothing more to do.
        case done
    }

    /// All but the interim answers and the endpoints.
    public static let interest: Interest = [
        .lifetime, .requestHead, .requestBody, .requestTrailers, .responseHead, .responseBody, .responseTrailers,
        .faultBelow, .clusterAttached,
    ]

    /// Name and summary.
    public static let manifest = Manifest(
        id: "retry", summary: "Tries requests again that have failed, within a budget.")

    private let settings: Settings
    private let policy: RetryPolicy
    private var routePolicies: [ObjectIdentifier: RetryPolicy] = [:]
    private let accounts: RetryAccounts
    private let counters: RetryCounters
    private let tellsUpstream: Bool
    private let tellsClient: Bool
    private var records: [RetryRecord] = []
    private var random = FastRandom()

    /// Compiles the settings.
    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        self.settings = settings
        policy = try RetryPolicy(settings)
        let budget = settings.budget
        let ledger: RetryLedger = worker.shared("ledger") { RetryLedger() }
        accounts = RetryAccounts(
            ledger,
            fresh: RetryBudget(millionths: budget.percent.millionths, window: budget.window.wholeNanoseconds))
        counters = RetryCounters(worker)
        tellsUpstream = settings.attemptCount == .request || settings.attemptCount == .both
        tellsClient = settings.attemptCount == .response || settings.attemptCount == .both
    }

    /// Begins with the first try.
    public func open(_ stream: inout Stream) throws(Fault) -> State? { State() }

    /// Gives back what the request had.
    public func close(_ state: inout State, _ ending: Ending, _ stream: inout Stream) {
        leavePlace(&state)
        guard let record = state.record else { return }
        record.end()
        if records.count < 256 { records.append(record) }
    }

    // MARK: The request is kept

    /// Keeps the head, before the filters below change it.
    public func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        if tellsUpstream { head.headers.set(.xEnvoyAttemptCount, 1) }
        state.isIdempotent = head.method.isIdempotent
        // A tunnel cannot be sent again once it stands, and CONNECT has no answer before it stands.
        guard head.method != .connect else { return .next }
        let record = records.popLast() ?? RetryRecord()
        record.begin(head, last: last)
        state.record = record
        return .next
    }

    /// Keeps the body, up to the limit.
    public func requestBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        if let record = state.record, state.phase != .done {
            // During a pause nothing more is read: what comes was on its way, and would be lost.
            record.keep(chunk, limit: state.phase == .waiting ? .max : settings.maxBody.bytes)
            if last { requestEnded(record, &state, &stream) }
        }
        return .next
    }

    /// A request with trailers is not kept.
    public func requestTrailers(
        _ trailers: inout Headers, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        if let record = state.record, state.phase != .done {
            record.lose()
            requestEnded(record, &state, &stream)
        }
        return .next
    }

    private func requestEnded(_ record: RetryRecord, _ state: inout State, _ stream: inout Stream) {
        record.isComplete = true
        if state.phase == .trying, let policy = state.policy, policy.hasTimer { beginTimer(policy, &state, &stream) }
    }

    // MARK: A try begins

    /// The route is known: so is the policy.
    public func clusterAttached(_ state: inout State, _ stream: inout Stream) throws(Fault) -> Step {
        guard let record = state.record, let cluster = stream.facts.cluster else { return .next }
        let policy = policy(for: stream)
        let entry = accounts.entry(cluster)
        state.policy = policy
        state.entry = entry
        if state.retries == 0 { entry.budget.deposit(now: stream.now.nanoseconds) }
        if policy.hasTimer, record.isComplete { beginTimer(policy, &state, &stream) }
        return .next
    }

    /// What the route says in place of the filter's settings; worked out once per route.
    private func policy(for stream: borrowing Stream) -> RetryPolicy {
        guard let id = stream.routeSettingsID else { return policy }
        if let known = routePolicies[id] { return known }
        var found = policy
        if let own = stream.routeSettings(of: self), let made = try? RetryPolicy(settings.changed(by: own)) {
            found = made
        }
        routePolicies[id] = found
        return found
    }

    // MARK: A try ends

    /// Decides by the status and the fields.
    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        guard state.phase == .trying, let policy = state.policy, !stream.facts.isLocalReply else {
            return letGo(&head, &state)
        }
        leavePlace(&state)
        if policy.wants(head) {
            let pause = RetryAfter.pause(head.headers, wallClock: WallClock.seconds())
            if try again(policy, &state, &stream, retryAfter: pause) { return .hold }
            return letGo(&head, &state)
        }
        if !policy.conditions.isDisjoint(with: .grpc), head.headers.isGRPC {
            let status = GRPCStatus(in: head.headers)
            if policy.wants(status) {
                if try again(policy, &state, &stream, isHarmless: true) { return .hold }
            } else if status == nil, !last, policy.grpcHoldBack > 0 {
                state.heldBack = 0
                state.lastActivity = stream.now.nanoseconds
                mark(&head, state)
                return .hold
            }
            return letGo(&head, &state)
        }
        if state.retries > 0 { counters.successes.add() }
        return letGo(&head, &state, keepsTimer: policy.idleTimeout > 0 && !last, &stream)
    }

    /// Holds a gRPC answer back, within its limit.
    public func responseBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        state.lastActivity = stream.now.nanoseconds
        guard state.heldBack >= 0 else { return .next }
        state.heldBack += chunk.count
        if !last, state.heldBack <= state.policy?.grpcHoldBack ?? 0 { return .hold }
        state.heldBack = -1
        state.phase = .done
        return .next
    }

    /// Decides by the status of a gRPC call whose answer was held back.
    public func responseTrailers(
        _ trailers: inout Headers, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        guard state.heldBack >= 0, let policy = state.policy else { return .next }
        state.heldBack = -1
        if policy.wants(GRPCStatus(in: trailers)) {
            if try again(policy, &state, &stream, isHarmless: true) { return .hold }
        } else if state.retries > 0 {
            counters.successes.add()
        }
        state.phase = .done
        return .next
    }

    /// Decides by what failed.
    public func faultBelow(_ fault: Fault, _ state: inout State, _ stream: inout Stream) throws(Fault) {
        leavePlace(&state)
        // The time of the whole request is over, in the middle of a pause or not: that is the end.
        let isOver = fault.kind == .upstreamTimeout && (stream.timeLeft.map { $0 == .zero } ?? false)
        guard state.phase == .trying, !isOver, let policy = state.policy, policy.wants(fault) else {
            state.phase = .done
            return
        }
        state.heldBack = -1
        if try !again(policy, &state, &stream, isHarmless: fault.replay == .always) { state.phase = .done }
    }

    // MARK: Once more

    /// Begins a further try, if there may be one.
    ///
    /// - Returns: whether what came of the present try is to be forgotten.
    private func again(
        _ policy: RetryPolicy, _ state: inout State, _ stream: inout Stream, isHarmless: Bool = false,
        retryAfter: UInt64? = nil
    ) throws(Fault) -> Bool {
        guard let record = state.record, let entry = state.entry else { return false }
        let situation = RetryPolicy.Situation(
            retries: state.retries, isIdempotent: state.isIdempotent, isHarmless: isHarmless, isKept: !record.isLost,
            timeLeft: stream.timeLeft?.wholeNanoseconds, retryAfter: retryAfter)
        switch policy.verdict(situation, lot: random.next()) {
        case .limitReached:
            if state.retries > 0 {
                stream.facts.flags.insert(.upstreamRetryLimitExceeded)
                counters.limitReached.add()
            }
        case .notIdempotent: counters.notIdempotent.add()
        case .bodyTooLarge: counters.bodyTooLarge.add()
        case .noTime: counters.noTime.add()
        case .retry(let pause, let isAsked):
            guard takePlace(entry, &state, now: stream.now.nanoseconds) else {
                counters.overflows.add()
                return false
            }
            (isAsked ? counters.backoffRatelimited : counters.backoffExponential).add()
            state.phase = .waiting
            if pause < 1_000_000 {
                // The loop's timers count milliseconds.
                try replay(record, &state, &stream)
            } else {
                try stream.abandonBelow()
                stream.wake(after: .nanoseconds(Int64(clamping: pause)))
            }
            return true
        }
        return false
    }

    private func replay(_ record: RetryRecord, _ state: inout State, _ stream: inout Stream) throws(Fault) {
        counters.retries.add()
        state.retries += 1
        state.phase = .trying
        stream.cancelWake()
        if tellsUpstream { record.head.headers.set(.xEnvoyAttemptCount, state.retries + 1) }
        try record.replay(&stream)
    }

    private func takePlace(_ entry: RetryAccounts.Entry, _ state: inout State, now: UInt64) -> Bool {
        guard entry.account.take(limit: settings.maxConcurrent ?? .max) else { return false }
        if !entry.budget.withdraw(now: now) {
            guard entry.account.count <= settings.budget.minConcurrent else {
                entry.account.give()
                return false
            }
            entry.budget.note(now: now)
        }
        state.hasPlace = true
        return true
    }

    private func leavePlace(_ state: inout State) {
        guard state.hasPlace else { return }
        state.hasPlace = false
        state.entry?.account.give()
    }

    // MARK: An answer goes by

    private func letGo(_ head: inout ResponseHead, _ state: inout State) -> Step {
        leavePlace(&state)
        state.phase = .done
        mark(&head, state)
        return .leave
    }

    private func letGo(
        _ head: inout ResponseHead, _ state: inout State, keepsTimer: Bool, _ stream: inout Stream
    ) -> Step {
        guard keepsTimer else {
            if state.policy?.hasTimer ?? false { stream.cancelWake() }
            return letGo(&head, &state)
        }
        state.lastActivity = stream.now.nanoseconds
        mark(&head, state)
        state.phase = .done
        return .next
    }

    private func mark(_ head: inout ResponseHead, _ state: borrowing State) {
        if tellsClient { head.headers.set(.xEnvoyAttemptCount, state.retries + 1) }
    }

    // MARK: Time

    private func beginTimer(_ policy: RetryPolicy, _ state: inout State, _ stream: inout Stream) {
        state.tryBegan = stream.now.nanoseconds
        state.lastActivity = state.tryBegan
        armTimer(policy, state, &stream)
    }

    private func armTimer(_ policy: RetryPolicy, _ state: borrowing State, _ stream: inout Stream) {
        var due = UInt64.max
        if policy.tryTimeout > 0, state.phase == .trying { due = state.tryBegan &+ policy.tryTimeout }
        if policy.idleTimeout > 0 { due = min(due, state.lastActivity &+ policy.idleTimeout) }
        guard due != .max else { return }
        let now = stream.now.nanoseconds
        stream.wake(after: .nanoseconds(Int64(clamping: due > now ? due - now : 0)))
    }

    /// A pause is over, or a try may have taken too long.
    public func wake(_ state: inout State, _ stream: inout Stream) throws(Fault) {
        guard let record = state.record, let policy = state.policy else { return }
        if state.phase == .waiting {
            guard !record.isLost else {
                state.phase = .done
                return stream.fail(Fault(.upstreamClosed, "retry.request_not_kept"))
            }
            return try replay(record, &state, &stream)
        }
        let now = stream.now.nanoseconds
        let isTryOver = state.phase == .trying && policy.tryTimeout > 0 && now >= state.tryBegan &+ policy.tryTimeout
        let isIdle = policy.idleTimeout > 0 && now >= state.lastActivity &+ policy.idleTimeout
        guard isTryOver || isIdle else { return armTimer(policy, state, &stream) }
        counters.tryTimeouts.add()
        leavePlace(&state)
        let fault = Fault(
            .upstreamTimeout, isTryOver ? "retry.per_try_timeout" : "retry.per_try_idle_timeout",
            replay: .ifIdempotent)
        if state.phase == .trying, policy.wants(fault), try again(policy, &state, &stream) { return }
        state.phase = .done
        stream.fail(fault)
    }
}
