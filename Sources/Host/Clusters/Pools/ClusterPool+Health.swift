internal import Engine
internal import FilterAPI

/// What a pool tells the cluster's health checks. All workers share the link, so it is only touched where there is
/// something to tell.
extension ClusterPool {
    /// An endpoint says with this field of any answer that it must not be used (Envoy's name for it).
    ///
    /// With a literal for its text it goes from hand to hand without counting references.
    private static let refusal = {
        let text = "x-envoy-immediate-health-check-fail"
        return HeaderName(token: 0, hash: HeaderName(text)?.hash ?? 0, text: text)
    }()

    /// Between two refusals of an endpoint that are passed on: where all endpoints are bad each answer may be one.
    private static let refusalPause: Nanoseconds = 100_000_000

    /// Names whom to tell; called once, before there are requests.
    func reportHealth(to link: HealthLink?) {
        health = link
        awaitsTraffic = link != nil
        looksForRefusals = link != nil
    }

    /// A request goes to the cluster, the first one on this worker.
    func noteTraffic() {
        awaitsTraffic = false
        health?.noteTraffic()
    }

    /// Looks whether an answer to some request says that its endpoint must not be used.
    func lookForRefusal(in headers: borrowing Headers, of endpoint: Endpoint) {
        guard headers.contains(Self.refusal) else { return }
        let now = worker.loop.now
        if let last = endpoint.lastRefusal, now < last + Self.refusalPause { return }
        endpoint.lastRefusal = now
        health?.noteRefusal(by: endpoint.address)
    }
}
