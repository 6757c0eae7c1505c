internal import FilterAPI

/// What breakers are called: in the table and the log with all that tells them apart, towards clients without what they
/// need not know.
struct BreakerNames {
    var key: BreakerKey
    /// `cluster app`.
    var subject: String

    /// - Parameter own: what the route sets for itself; nil where it sets nothing, and shares with others.
    init(
        _ scope: CircuitBreaker.Scope, _ facts: borrowing StreamFacts, listener: String,
        own: CircuitBreaker.RouteSettings?
    ) {
        let cluster = facts.cluster?.text ?? ""
        let route = facts.route?.text
        var name: String
        switch scope {
        case .listener:
            name = "listener \(listener)"
            subject = name
        case .route:
            subject = route.map { "route \($0)" } ?? "the routes without a name to cluster \(cluster)"
            name = "\(subject) of listener \(listener)"
        case .cluster:
            name = "cluster \(cluster)"
            subject = name
        case .endpoint:
            name = "endpoint \(facts.endpoint?.text ?? "") of cluster \(cluster)"
            subject = "each endpoint of cluster \(cluster)"
        }
        if own != nil, scope == .cluster || scope == .endpoint {
            let part = route.map { "route \($0)" } ?? "a route without a name"
            name += " on \(part) of listener \(listener)"
            subject += " on \(part)"
        }
        key = BreakerKey(name: name, numbers: route == nil ? own : nil)
    }
}
