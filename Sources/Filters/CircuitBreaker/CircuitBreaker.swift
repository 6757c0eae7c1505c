public import FilterAPI

/// Refuses requests, or lets them wait, where too many run at once or too many have failed.
///
/// SAFETY: a state counts its slot once, from `take` to `leave`; in between it is asked without counting.
@safe
public final class CircuitBreaker: HTTPFilter {
    /// Name and summary.
    public static let manifest = Manifest(
        id: "circuit_breaker", summary: "Refuses requests where too many run at once, or too many have failed.",
        stats: [
            .counter("opened", "Times that a breaker has opened."),
            .counter("closed", "Times that a breaker has closed."),
            .counter("probes", "Requests let through by an open breaker to see how it goes."),
            .counter("queued", "Requests that had to wait."),
            .counter("rejected_max_requests", "Requests refused because max_requests was reached."),
            .counter("rejected_open", "Requests refused by an open breaker."),
            .counter("rejected_queue_full", "Requests refused because too many waited already."),
            .counter("queue_timeout", "Requests that have waited in vain."),
            .counter("endpoints_skipped", "Endpoints passed over because their breaker was open."),
            .counter(
                "breakers_shared",
                "Requests that had to share a breaker with others, because there were too many breakers."),
            .gauge("waiting", "Requests that wait."),
            .gauge("open", "Breakers that are open."),
        ],
        reasons: [
            .init(
                "circuit_breaker.max_requests", [.overflow],
                "As many requests run as `max_requests` of `circuit_breaker` allows, and `on_open` is `fail`.",
                lookAt: "How long requests take; or raise `max_requests`."),
            .init(
                "circuit_breaker.open", [.overflow],
                """
                Too many requests have failed lately: the breaker is open, and lets through no more than a few \
                to see how it goes.
                """,
                lookAt: "Why the upstream fails: `circuit breaker opened` in the process log says what broke it."),
            .init(
                "circuit_breaker.queue_full", [.overflow],
                "As many requests wait as `queue.max` of `circuit_breaker` allows.",
                lookAt: "How long requests take; or raise `queue.max`."),
            .init(
                "circuit_breaker.queue_timeout", [.overflow],
                "The request has waited for `queue.timeout` of `circuit_breaker` in vain.",
                lookAt: "How long requests take; or raise `queue.timeout`."),
        ])

    /// Heads, faults and ends, and where requests go.
    public static let interest: Interest = [
        .requestHead, .responseHead, .responseTrailers, .faultBelow, .lifetime, .clusterAttached, .endpointPicked,
    ]

    /// The events that the scope needs, and those by which a request goes on that has waited. That an endpoint was picked is
    /// of interest to all: from then on the upstream may be to blame.
    public var activeInterest: Interest {
        var interest = Self.interest
        if settings.scope != .listener { interest.remove(.requestHead) }
        let waitsForListener = settings.scope == .listener && settings.onOpen == .queue
        if settings.scope == .endpoint || settings.scope == .listener && !waitsForListener {
            interest.remove(.clusterAttached)
        }
        return interest
    }

    /// What one request has of its breaker.
    ///
    /// SAFETY: see the filter.
    @safe
    public struct State {
        /// The breaker that looks after the request; nil while none does.
        var slot: Unmanaged<BreakerSlot>?
        /// With what the breaker let it through; nil where it owes no outcome.
        var permit: Permit?
        /// When it was let through, in nanoseconds.
        var startedAt: UInt64 = 0
        /// It has one of the places for requests that run at once.
        var holdsPlace = false
        /// It waits, or has been given a place and did not yet see it.
        var waiting: WaitingRequest?
        /// Why the last endpoint was refused; nil where it was not.
        var refusal: Refusal?
        /// When a breaker that is open lets requests through again, in nanoseconds.
        var refusedUntil: UInt64 = 0
        /// The head of the response came late.
        var isSlow = false
        var progress = Progress.none

        enum Progress {
            case none
            /// An endpoint was picked.
            case sent
            /// A fault came by that is no failure of the upstream.
            case excused
            /// The head of a response of gRPC came by; its outcome follows.
            case awaitsStatus
            /// An outcome was noted that a broken answer may still turn into a failure.
            case succeeded
            /// There is nothing more to note.
            case settled
        }
    }

    let settings: Settings
    let counters: BreakerCounters
    let table: BreakerTable
    let log: FilterLog
    let workerIndex: Int
    let places: LimitPlaces
    var cache = SlotCache()
    /// Those of routes without a name that set numbers of their own.
    var unnamed: [(own: RouteSettings, subject: FactName?, slot: BreakerSlot)] = []

    /// Finds the breakers that other workers and generations have.
    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        self.settings = settings
        counters = BreakerCounters(worker)
        let waiting = worker.gauge("waiting")
        let open = worker.gauge("open")
        table = worker.shared("breakers") { BreakerTable(waiting: waiting, open: open) }
        log = worker.filterLog
        workerIndex = worker.index
        places = LimitPlaces(worker)
    }

    // MARK: On the way down

    /// Begins without a breaker.
    public func open(_ stream: inout Stream) throws(Fault) -> State? { State() }

    /// Decides for a whole listener.
    public func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        guard settings.scope == .listener else { return .next }
        return unsafe slot(for: stream)._withUnsafeGuaranteedRef { enter($0, &state, &stream) }
    }

    /// Decides for a route or a cluster.
    public func clusterAttached(_ state: inout State, _ stream: inout Stream) throws(Fault) -> Step {
        switch settings.scope {
        case .endpoint: return .next
        case .listener:
            if state.waiting != nil, let refusal = takePlace(&state, &stream) { refuse(refusal, state, &stream) }
            return .next
        case .route, .cluster:
            let slot = unsafe slot(for: stream)
            if unsafe state.slot != nil {
                // A filter below sends the request again: it is the same one.
                if unsafe isSame(state, slot) { return .next }
                leave(&state, stream)
            }
            return unsafe slot._withUnsafeGuaranteedRef { enter($0, &state, &stream) }
        }
    }

    /// Decides for an endpoint, and looks again at requests that have waited.
    public func endpointPicked(_ state: inout State, _ stream: inout Stream) throws(Fault) -> Bool {
        if settings.scope == .endpoint {
            // What was picked before is not used.
            leave(&state, stream)
            state.refusal = unsafe slot(for: stream)._withUnsafeGuaranteedRef { slot in
                slot.rules.isOff ? nil : admit(slot, &state, &stream)
            }
            guard state.refusal == nil else {
                counters.endpointsSkipped.add()
                return false
            }
        } else if state.waiting != nil, let refusal = takePlace(&state, &stream) {
            state.refusal = refusal
            throw Fault(.overflow, "circuit_breaker.open", replay: .always)
        }
        state.progress = .sent
        return true
    }

    private func isSame(_ state: borrowing State, _ slot: Unmanaged<BreakerSlot>) -> Bool {
        unsafe state.slot?.takeUnretainedValue().breaker === slot.takeUnretainedValue().breaker
    }

    /// - Returns: what becomes of the request.
    private func enter(_ slot: BreakerSlot, _ state: inout State, _ stream: inout Stream) -> Step {
        if slot.rules.isOff { return .next }
        guard let refusal = admit(slot, &state, &stream) else { return .next }
        if refusal.cause == .maxRequests, let queue = slot.rules.queue {
            return wait(queue, slot, &state, &stream)
        }
        refuse(refusal, state, &stream)
        return .next
    }

    /// Takes what the request needs to run.
    ///
    /// - Returns: why it may not; nil where it may.
    private func admit(_ slot: BreakerSlot, _ state: inout State, _ stream: inout Stream) -> Refusal? {
        if slot.rules.errors != nil, let until = slot.refusal(at: stream.now.nanoseconds) {
            state.refusedUntil = until
            return slot.open
        }
        if slot.rules.maxRequests > 0 {
            guard slot.takePlace() else { return slot.maxRequests }
            state.holdsPlace = true
        }
        unsafe state.slot = Unmanaged.passRetained(slot)
        return takePermit(slot, &state, &stream)
    }

    private func takePermit(_ slot: BreakerSlot, _ state: inout State, _ stream: inout Stream) -> Refusal? {
        guard let errors = slot.rules.errors else { return nil }
        let now = stream.now.nanoseconds
        switch slot.admit(at: now, errors) {
        case .admitted(let permit):
            state.permit = permit
            state.startedAt = now
            if permit.isProbe { counters.probes.add() }
            return nil
        case .refused(let until):
            state.refusedUntil = until
            leave(&state, stream)
            return slot.open
        }
    }

    // MARK: Waiting

    private func wait(
        _ queue: QueueSettings, _ slot: BreakerSlot, _ state: inout State, _ stream: inout Stream
    ) -> Step {
        guard slot.breaker.places.reserve(max: queue.max) else {
            refuse(slot.queueFull, state, &stream)
            return .next
        }
        let request = WaitingRequest(limit: slot.rules.maxRequests, stream.pause())
        unsafe state.slot = Unmanaged.passRetained(slot)
        state.waiting = request
        stream.wake(after: queue.timeout)
        counters.queued.add()
        slot.breaker.places.join(request)
        return .hold
    }

    /// The request has been given a place while it waited. Meanwhile the breaker may have opened.
    ///
    /// - Returns: why it may not go on; nil where it may.
    private func takePlace(_ state: inout State, _ stream: inout Stream) -> Refusal? {
        guard let slot = unsafe state.slot?.takeUnretainedValue() else { return nil }
        stream.cancelWake()
        state.waiting = nil
        state.holdsPlace = true
        return takePermit(slot, &state, &stream)
    }

    /// The request has waited for as long as it may.
    public func wake(_ state: inout State, _ stream: inout Stream) throws(Fault) {
        guard let request = state.waiting, let slot = unsafe state.slot?.takeUnretainedValue(),
            slot.breaker.places.leave(request)
        else { return }
        state.waiting = nil
        forget(&state)
        refuse(slot.queueTimeout, state, &stream)
        // Does nothing any more: the answer comes first.
        request.letGo()
    }

    // MARK: Refusing

    private func refuse(_ refusal: Refusal, _ state: borrowing State, _ stream: inout Stream) {
        counters.refused(refusal.cause)
        stream.facts.flags.insert(.upstreamOverflow)
        stream.facts.reason = refusal.cause.reason
        stream.facts.limit = refusal.limit
        let until = state.refusedUntil
        let now = stream.now.nanoseconds
        stream.reply(503, body: refusal.body) { head in
            head.headers.set(.xEnvoyOverloaded, "true")
            guard refusal.cause == .open else { return }
            let seconds = until > now ? (until - now + 999_999_999) / 1_000_000_000 : 1
            head.headers.set(.retryAfter, Int(seconds))
        }
    }

    // MARK: On the way up

    /// Learns how the request ends.
    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        guard let slot = unsafe state.slot, state.permit != nil else { return .leave }
        return unsafe slot._withUnsafeGuaranteedRef { responseHead(head, last: last, $0, &state, &stream) }
    }

    private func responseHead(
        _ head: borrowing ResponseHead, last: Bool, _ slot: BreakerSlot, _ state: inout State, _ stream: inout Stream
    ) -> Step {
        guard let errors = slot.rules.errors else { return .leave }
        // What a filter below or the host has answered is not the upstream's; its faults have come by before.
        if stream.facts.isLocalReply {
            giveBackPermit(slot, &state, stream)
            return .leave
        }
        guard state.progress != .settled else { return .leave }
        state.isSlow = errors.slowCall > 0 && stream.now.nanoseconds &- state.startedAt >= errors.slowCall
        var isFailure = errors.failures.count(head.status)
        if !isFailure, errors.failures.contains(.grpc), head.headers.isGRPC {
            if let status = GRPCStatus(in: head.headers) {
                isFailure = errors.failures.count(status)
            } else if !last {
                state.progress = .awaitsStatus
                return .next
            }
        }
        settle(isFailure ? .failure : state.isSlow ? .slow : .success, slot, &state, stream)
        return .leave
    }

    /// Learns how a call of gRPC ends.
    public func responseTrailers(
        _ trailers: inout Headers, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        guard state.progress == .awaitsStatus, let slot = unsafe state.slot?.takeUnretainedValue(),
            let errors = slot.rules.errors
        else { return .next }
        let isFailure = GRPCStatus(in: trailers).map { errors.failures.count($0) } ?? false
        settle(isFailure ? .failure : state.isSlow ? .slow : .success, slot, &state, stream)
        return .next
    }

    /// Learns that the request has failed, or says why no endpoint was good.
    public func faultBelow(_ fault: Fault, _ state: inout State, _ stream: inout Stream) throws(Fault) {
        if let refusal = state.refusal, fault.kind == .overflow {
            state.refusal = nil
            return refuse(refusal, state, &stream)
        }
        note(fault, &state, stream)
    }

    private func note(_ fault: Fault, _ state: inout State, _ stream: borrowing Stream) {
        guard let slot = unsafe state.slot?.takeUnretainedValue(), let errors = slot.rules.errors else { return }
        let isAnswerDue = stream.facts.requestEnd != .none
        guard errors.failures.count(fault, isAnswerDue: isAnswerDue) else {
            if state.progress == .sent { state.progress = .excused }
            return
        }
        settle(state.progress == .succeeded ? .brokenOff : .failure, slot, &state, stream)
    }

    /// Notes the outcome.
    private func settle(
        _ outcome: Outcome, _ slot: BreakerSlot, _ state: inout State, _ stream: borrowing Stream
    ) {
        guard let permit = state.permit, let errors = slot.rules.errors, state.progress != .settled else { return }
        state.progress = outcome == .success || outcome == .slow ? .succeeded : .settled
        let change = slot.record(outcome, permit, at: stream.now.nanoseconds, errors)
        if let change { tell(slot, change) }
    }

    // MARK: The end

    /// Gives back what the request had, and notes what no event has told.
    public func close(_ state: inout State, _ ending: Ending, _ stream: inout Stream) {
        guard let slot = unsafe state.slot else { return }
        unsafe slot._withUnsafeGuaranteedRef { noteEnd(ending, $0, &state, stream) }
        leave(&state, stream)
    }

    private func noteEnd(
        _ ending: Ending, _ slot: BreakerSlot, _ state: inout State, _ stream: borrowing Stream
    ) {
        switch ending {
        case .complete:
            // A call of gRPC that ends without a status has failed, for the client too.
            if state.progress == .awaitsStatus { settle(.failure, slot, &state, stream) }
            if state.progress == .succeeded, let permit = state.permit { slot.completed(permit) }
        case .fault(let fault): note(fault, &state, stream)
        case .replay:
            // A filter above has given up waiting: it had seen neither an answer nor a fault.
            if state.progress == .sent, slot.rules.errors?.failures.contains(.timeout) ?? false {
                settle(.failure, slot, &state, stream)
            }
        }
    }

    /// Gives back what the request has, without an outcome.
    private func leave(_ state: inout State, _ stream: borrowing Stream) {
        guard let slot = unsafe state.slot else { return }
        unsafe slot._withUnsafeGuaranteedRef { slot in
            if let waiting = state.waiting {
                state.waiting = nil
                // Who is not in the line any more has been given a place.
                state.holdsPlace = !slot.breaker.places.leave(waiting)
                waiting.letGo()
            }
            if state.holdsPlace {
                state.holdsPlace = false
                slot.giveBackPlace()
            }
            giveBackPermit(slot, &state, stream)
        }
        forget(&state)
        state.progress = .none
    }

    private func forget(_ state: inout State) {
        unsafe state.slot?.release()
        unsafe state.slot = nil
    }

    private func giveBackPermit(_ slot: BreakerSlot, _ state: inout State, _ stream: borrowing Stream) {
        guard let permit = state.permit else { return }
        state.permit = nil
        guard permit.isProbe, state.progress != .settled, state.progress != .succeeded, let errors = slot.rules.errors
        else { return }
        if let change = slot.record(nil, permit, at: stream.now.nanoseconds, errors) { tell(slot, change) }
    }
}
