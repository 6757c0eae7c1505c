public import FilterAPI

/// Delays requests, or answers them in place of the upstream, to show what happens when an upstream is slow or fails.
public final class FaultInjection: HTTPFilter {
    /// What is known of one request.
    public struct State {
        /// The head passes the filter's tests; filters below may change it.
        var mayBePicked = true
        var wish = FaultWish()
        /// The lots are drawn; a further try of the same request is not another request.
        var isDecided = false
        /// It is held, and has a place among those that are.
        var delayed: DelayedRequest?
        /// What happens after the delay.
        var abort: FaultPlan.Abort?
    }

    /// The head of the request, where it goes, and its end.
    public static let interest: Interest = [.lifetime, .requestHead, .clusterAttached]

    /// The head only where it has something to say.
    public var activeInterest: Interest {
        settings.byHeader || !settings.headers.isEmpty ? Self.interest : Self.interest.subtracting(.requestHead)
    }

    /// Name and summary.
    public static let manifest = Manifest(
        id: "fault", summary: "Delays requests, or answers them in place of the upstream, to try what happens then.",
        stats: [
            .counter("delays_injected", "Requests that were delayed."),
            .counter("aborts_injected", "Requests that were answered in place of the upstream."),
            .counter("faults_overflow", "Requests left alone because too many were being delayed."),
        ],
        reasons: [
            .init(
                "fault.delay", [], "`fault` has delayed the request, on purpose.",
                lookAt: "Who has set `fault` up, and for which requests.",
                outcome: "what the upstream answers; the log has the flag DI", origin: .sluice),
            .init(
                "fault.abort", [], "`fault` has answered the request in place of the upstream, on purpose.",
                lookAt: "Who has set `fault` up, and for which requests.",
                outcome: "the `status` of `abort`, with the flag FI", origin: .sluice),
        ])

    private let settings: Settings
    private let plan: FaultPlan
    private var routePlans: [ObjectIdentifier: FaultPlan?] = [:]
    private let fields = FaultFields()
    private let active: LimitedCount
    private let delaysInjected: Counter
    private let abortsInjected: Counter
    private let overflows: Counter
    private var random = FastRandom()
    private var scratch = ByteText()

    /// Compiles the settings.
    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        self.settings = settings
        plan = try FaultPlan(settings)
        active = worker.shared("active") { LimitedCount() }
        delaysInjected = worker.counter("delays_injected")
        abortsInjected = worker.counter("aborts_injected")
        overflows = worker.counter("faults_overflow")
    }

    /// Begins without a fault.
    public func open(_ stream: inout Stream) throws(Fault) -> State? { State() }

    /// Looks at the fields, before filters below change them, and takes out those that are for this filter.
    public func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        state.mayBePicked = plan.pass(head, stream.connection, scratch: &scratch)
        if settings.byHeader { state.wish = fields.take(from: &head.headers) }
        return .next
    }

    /// Draws lots, when it is known what the route says.
    public func clusterAttached(_ state: inout State, _ stream: inout Stream) throws(Fault) -> Step {
        guard !state.isDecided else { return .next }
        state.isDecided = true
        guard let plan = plan(for: stream), isPicked(plan, state, stream) else { return .next }
        let draw = plan.draw(state.wish, lots: (random.next(), random.next()))
        if draw.isNothing { return .next }
        guard draw.delay > 0 else {
            if let abort = draw.abort { inject(abort, &stream) }
            return .next
        }
        guard active.take(limit: settings.maxActive ?? .max) else {
            overflows.add()
            return .next
        }
        delaysInjected.add()
        stream.facts.flags.insert(.delayInjected)
        stream.facts.reason = "fault.delay"
        state.delayed = DelayedRequest(stream.pause())
        state.abort = draw.abort
        stream.wake(after: .nanoseconds(Int64(clamping: draw.delay)))
        return .hold
    }

    private func isPicked(_ plan: FaultPlan, _ state: borrowing State, _ stream: borrowing Stream) -> Bool {
        if plan === self.plan { return state.mayBePicked }
        let connection = stream.connection
        return stream.withRequest { plan.pass($0, connection, scratch: &scratch) }
    }

    /// What the route says in place of the filter's settings; worked out once per route.
    ///
    /// - Returns: nil where there are no faults for its requests.
    private func plan(for stream: borrowing Stream) -> FaultPlan? {
        guard let id = stream.routeSettingsID else { return plan }
        if let known = routePlans[id] { return known }
        var found: FaultPlan? = plan
        if let own = stream.routeSettings(of: self) {
            found = own.enabled ? (try? FaultPlan(settings.changed(by: own))) ?? plan : nil
        }
        routePlans.updateValue(found, forKey: id)
        return found
    }

    /// The delay is over.
    public func wake(_ state: inout State, _ stream: inout Stream) throws(Fault) {
        guard state.delayed != nil else { return }
        if let abort = state.abort { inject(abort, &stream) }
        // Where the request is answered the token does nothing any more: the answer comes first.
        end(&state)
    }

    private func inject(_ abort: FaultPlan.Abort, _ stream: inout Stream) {
        abortsInjected.add()
        stream.facts.flags.insert(.faultInjected)
        stream.facts.reason = "fault.abort"
        let isGRPC = stream.withRequest { $0.headers.isGRPC }
        stream.reply(Status(abort.status), body: "fault injected\n") { head in
            if isGRPC, let status = abort.grpcStatus { head.headers.set(.grpcStatus, status) }
        }
    }

    /// Gives back what a request had that ended while it was delayed.
    public func close(_ state: inout State, _ ending: Ending, _ stream: inout Stream) { end(&state) }

    private func end(_ state: inout State) {
        guard let delayed = state.delayed else { return }
        state.delayed = nil
        active.give()
        delayed.letGo()
    }
}
