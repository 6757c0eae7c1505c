internal import Engine
internal import FilterAPI
internal import Synchronization

/// The way from the workers to a cluster's ``HealthChecker``, which lives on the control thread.
///
/// SAFETY: `checker` is set when the link is made and read in jobs on the control thread only; it is weak, so that what
/// still comes for a cluster that has gone does nothing.
@safe
final class HealthLink: Sendable {
    private let poster: LoopPoster
    private let traffic: Atomic<Bool>
    private nonisolated(unsafe) weak var checker: HealthChecker?

    /// - Parameter hasTraffic: whether requests have gone to the cluster before.
    init(_ poster: LoopPoster, hasTraffic: Bool) {
        self.poster = poster
        traffic = Atomic(hasTraffic)
    }

    /// Names whom the link leads to; on the control thread, before workers get it.
    func connect(_ checker: HealthChecker) { unsafe self.checker = checker }

    /// Whether a request has gone to the cluster.
    var hasTraffic: Bool { traffic.load(ordering: .relaxed) }

    /// A request goes to the cluster. Called for each of them, so the first one leaves a note.
    @inline(__always)
    func noteTraffic() { if !hasTraffic { beginTraffic() } }

    private func beginTraffic() {
        guard !traffic.exchange(true, ordering: .relaxed) else { return }
        poster.post { unsafe self.checker?.trafficBegan() }
    }

    /// An endpoint says with this field of any answer that it must not be used (Envoy's name for it).
    private static let refusal = HeaderName("x-envoy-immediate-health-check-fail")

    /// Between two refusals of an endpoint that one worker passes on: where all are bad each answer may be one.
    private static let refusalPause: Nanoseconds = 100_000_000

    /// Looks whether an answer to some request says that its endpoint must not be used.
    @inline(__always)
    func look(at headers: borrowing Headers, of endpoint: Endpoint, at now: Nanoseconds) {
        if let name = Self.refusal, headers.contains(name) { noteRefusal(by: endpoint, at: now) }
    }

    private func noteRefusal(by endpoint: Endpoint, at now: Nanoseconds) {
        if let last = endpoint.lastRefusal, now < last + Self.refusalPause { return }
        endpoint.lastRefusal = now
        let address = endpoint.address
        poster.post { unsafe self.checker?.refused(address) }
    }

    /// A check has ended.
    func report(_ outcome: CheckOutcome, of watch: UInt64) {
        poster.post { unsafe self.checker?.ended(watch, outcome) }
    }
}
