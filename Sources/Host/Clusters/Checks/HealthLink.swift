internal import Engine
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

    /// A request goes to the cluster, the first one of a worker.
    func noteTraffic() {
        guard !traffic.exchange(true, ordering: .relaxed) else { return }
        poster.post { unsafe self.checker?.trafficBegan() }
    }

    /// An endpoint has said in the answer to some request that it must not be used.
    func noteRefusal(by endpoint: SocketAddress) {
        poster.post { unsafe self.checker?.refused(endpoint) }
    }

    /// A check has ended.
    func report(_ outcome: CheckOutcome, of watch: UInt64) {
        poster.post { unsafe self.checker?.ended(watch, outcome) }
    }
}
