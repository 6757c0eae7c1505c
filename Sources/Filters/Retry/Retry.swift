public import FilterAPI

/// Sends a request once more where a try has failed, and nobody has seen anything of its answer.
///
/// Knows of no other filter: it keeps the request, and replays the chain below it. Each further try runs through the
/// filters below from the beginning, as a rule to another endpoint.
///
/// SAFETY: what states point at without counting is kept alive by the filter, which outlives them: records by `records`,
/// policies by `policy` and `routePolicies`, entries by `accounts`.
@safe
public final class Retry: HTTPFilter {
    /// What is known of one request.
    ///
    /// SAFETY: see the filter.
    @safe
    public struct State {
        var record: Unmanaged<RetryRecord>?
        /// What the route says; nil for the filter's own policy, or where no cluster was attached yet.
        var routePolicy: Unmanaged<RetryPolicy>?
        /// The cluster's budget; nil before there is a cluster.
        var entry: Unmanaged<RetryAccounts.Entry>?
        /// The policy's answer to most responses.
        var glance = RetryGlance.everything
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
        /// An answer is going by, and must not stop for too long.
        case answering
        /// An answer has gone by, or a fault was let go: there is nothing more to do.
        case done

        /// Whether the request may still be sent again.
        var isOpen: Bool { self == .trying || self == .waiting }
    }

    /// All but the interim answers and the endpoints.
    public static let interest: Interest = [
        .lifetime, .requestHead, .requestBody, .requestTrailers, .responseHead, .responseBody, .responseTrailers,
        .faultBelow, .clusterAttached,
    ]

    /// Name and summary.
    public static let manifest = Manifest(
        id: "retry", summary: "Tries requests again that have failed, within a budget.",
        stats: [
            .counter("retry", "Further tries."),
            .counter("retry_success", "Requests that were answered well by a further try."),
            .counter(
                "retry_overflow",
                """
                Further tries that the budget, or the limit on how many run at once, did not allow.
                """),
            .counter("retry_limit_exceeded", "Requests that failed with the last try that they may have."),
            .counter("retry_backoff_exponential", "Pauses before a further try that were drawn by lot."),
            .counter("retry_backoff_ratelimited", "Pauses before a further try that the upstream asked for."),
            .counter("retry_not_idempotent", "Requests not tried again because of their method."),
            .counter("retry_body_too_large", "Requests not tried again because their body is too large to keep."),
            .counter("retry_no_time", "Requests not tried again because their time would be over before."),
            .counter("per_try_timeout", "Tries that took longer than per_try_timeout."),
        ],
        reasons: [
            .init(
                "retry.per_try_timeout", [.upstreamTimeout], "The last try took longer than `per_try_timeout`.",
                lookAt: "What the upstream was busy with; or raise `per_try_timeout`."),
            .init(
                "retry.per_try_idle_timeout", [.upstreamTimeout],
                "Nothing came of the last try for `per_try_idle_timeout`.",
                lookAt: "What the upstream was busy with; or raise `per_try_idle_timeout`."),
            .init(
                "retry.request_not_kept", [.upstreamClosed],
                "The request was to be sent again, and its body had become too large to keep.",
                lookAt: "`max_body` of `retry`."),
        ])

    private let settings: Settings
    private let policy: RetryPolicy
    private var routePolicies: [ObjectIdentifier: RetryPolicy] = [:]
    private let accounts: RetryAccounts
    private let counters: RetryCounters
    private let tellsUpstream: Bool
    private let tellsClient: Bool
    private var records = RetryRecords()
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
        if let record = unsafe state.record { unsafe records.put(record) }
    }

    /// The policy of a request whose cluster is known.
    private func policy(of state: borrowing State) -> RetryPolicy {
        unsafe state.routePolicy?.takeUnretainedValue() ?? policy
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
        let record = unsafe records.take()
        unsafe record._withUnsafeGuaranteedRef { $0.begin(head, last: last) }
        unsafe state.record = record
        return .next
    }

    /// Keeps the body, up to the limit.
    public func requestBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        if let record = unsafe state.record, state.phase.isOpen {
            // During a pause nothing more is read: what comes was on its way, and would be lost.
            let limit = state.phase == .waiting ? .max : settings.maxBody.bytes
            unsafe record._withUnsafeGuaranteedRef { $0.keep(chunk, limit: limit) }
            if last { requestEnded(&state, &stream) }
        }
        return .next
    }

    /// A request with trailers is not kept.
    public func requestTrailers(
        _ trailers: inout Headers, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        if let record = unsafe state.record, state.phase.isOpen {
            unsafe record._withUnsafeGuaranteedRef { $0.lose() }
            requestEnded(&state, &stream)
        }
        return .next
    }

    private func requestEnded(_ state: inout State, _ stream: inout Stream) {
        unsafe state.record?._withUnsafeGuaranteedRef { $0.isComplete = true }
        if state.phase == .trying, state.glance.hasTimer { beginTimer(&state, &stream) }
    }

    // MARK: A try begins

    /// The route is known: so is the policy.
    public func clusterAttached(_ state: inout State, _ stream: inout Stream) throws(Fault) -> Step {
        guard let record = unsafe state.record, let cluster = stream.facts.clusterIdentity else { return .next }
        state.glance = policy.glance
        if let id = stream.routeSettingsID { usePolicy(of: id, &state, stream) }
        let entry = unsafe accounts.entry(cluster) { stream.facts.cluster }
        unsafe state.entry = entry
        if state.retries == 0 {
            let now = stream.now.nanoseconds
            unsafe entry?._withUnsafeGuaranteedRef { $0.budget.deposit(now: now) }
        }
        guard state.glance.hasTimer else { return .next }
        if unsafe record._withUnsafeGuaranteedRef({ $0.isComplete }) { beginTimer(&state, &stream) }
        return .next
    }

    /// What the route says in place of the filter's settings; worked out once per route.
    private func usePolicy(of id: ObjectIdentifier, _ state: inout State, _ stream: borrowing Stream) {
        if routePolicies[id] == nil {
            var found = policy
            if let own = stream.routeSettings(of: self), let made = try? RetryPolicy(settings.changed(by: own)) {
                found = made
            }
            routePolicies[id] = found
        }
        guard let found = routePolicies[id] else { return }
        unsafe state.routePolicy = Unmanaged.passUnretained(found)
        state.glance = found.glance
    }

    // MARK: A try ends

    /// Decides by the status and the fields.
    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        guard state.phase == .trying, unsafe state.entry != nil, !stream.facts.isLocalReply else {
            return letGo(&head, &state)
        }
        leavePlace(&state)
        if state.glance.mayWant(head), try isUnwanted(&head, last: last, &state, &stream) { return .hold }
        guard state.phase == .trying else { return .leave }
        if state.retries > 0 { counters.successes.add() }
        return letGo(&head, last: last, &state, &stream)
    }

    /// Looks closely at an answer.
    ///
    /// - Returns: whether it is not to go on, now or at all. Where it goes on and all is decided, the phase says so.
    private func isUnwanted(
        _ head: inout ResponseHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Bool {
        let policy = policy(of: state)
        if policy.wants(head) {
            let pause = RetryAfter.pause(head.headers, wallClock: WallClock.seconds())
            if try again(policy, &state, &stream, retryAfter: pause) { return true }
            _ = letGo(&head, &state)
            return false
        }
        guard state.glance.hasGRPC, head.headers.isGRPC else { return false }
        let status = GRPCStatus(in: head.headers)
        if policy.wants(status) {
            if try again(policy, &state, &stream, isHarmless: true) { return true }
            _ = letGo(&head, &state)
        } else if status == nil, !last, policy.grpcHoldBack > 0 {
            state.heldBack = 0
            state.lastActivity = stream.now.nanoseconds
            mark(&head, state)
            return true
        }
        return false
    }

    /// Holds a gRPC answer back, within its limit.
    public func responseBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        state.lastActivity = stream.now.nanoseconds
        guard state.heldBack >= 0 else { return .next }
        state.heldBack += chunk.count
        if !last, state.heldBack <= policy(of: state).grpcHoldBack { return .hold }
        state.heldBack = -1
        state.phase = .done
        return .next
    }

    /// Decides by the status of a gRPC call whose answer was held back.
    public func responseTrailers(
        _ trailers: inout Headers, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        guard state.heldBack >= 0 else { return .next }
        state.heldBack = -1
        let policy = policy(of: state)
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
        let policy = policy(of: state)
        guard state.phase == .trying, !isOver, policy.wants(fault) else {
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
        guard let record = unsafe state.record?.takeUnretainedValue(),
            let entry = unsafe state.entry?.takeUnretainedValue()
        else { return false }
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
            guard stream.claimReplay() else {
                counters.overflows.add()
                leavePlace(&state)
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
        unsafe state.entry?._withUnsafeGuaranteedRef { $0.account.give() }
    }

    // MARK: An answer goes by

    private func letGo(_ head: inout ResponseHead, _ state: inout State) -> Step {
        leavePlace(&state)
        state.phase = .done
        mark(&head, state)
        return .leave
    }

    private func letGo(
        _ head: inout ResponseHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) -> Step {
        guard state.glance.hasTimer else { return letGo(&head, &state) }
        guard !last, head.status != 101, policy(of: state).idleTimeout > 0 else {
            stream.cancelWake()
            return letGo(&head, &state)
        }
        state.lastActivity = stream.now.nanoseconds
        _ = letGo(&head, &state)
        state.phase = .answering
        return .next
    }

    private func mark(_ head: inout ResponseHead, _ state: borrowing State) {
        if tellsClient { head.headers.set(.xEnvoyAttemptCount, state.retries + 1) }
    }

    // MARK: Time

    private func beginTimer(_ state: inout State, _ stream: inout Stream) {
        state.tryBegan = stream.now.nanoseconds
        state.lastActivity = state.tryBegan
        armTimer(policy(of: state), state, &stream)
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
        guard let record = unsafe state.record?.takeUnretainedValue() else { return }
        let policy = policy(of: state)
        if state.phase == .waiting {
            guard !record.isLost else {
                state.phase = .done
                return stream.fail(Fault(.upstreamClosed, "retry.request_not_kept"))
            }
            return try replay(record, &state, &stream)
        }
        guard state.phase != .done else { return }
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
