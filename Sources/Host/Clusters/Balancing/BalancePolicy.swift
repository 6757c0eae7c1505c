/// Which endpoint of a cluster is next. All of them respect weights.
enum BalancePolicy: String, Codable, Sendable, CaseIterable {
    /// One after the other.
    case roundRobin = "round_robin"
    /// The less busy one of two that are drawn by lot.
    case leastRequest = "least_request"
    /// By lot.
    case random
    /// The one that the request's hash belongs to; by lot where a request has none.
    case ringHash = "ring_hash"
    /// The same by a table: shares are more even, a pick is faster, and more moves when an endpoint comes or goes.
    case maglev
    /// The one of two, drawn by lot, that has answered faster of late for what it has to do.
    case peakEwma = "peak_ewma"

    /// Whether the same hash is to lead to the same endpoint.
    var isByHash: Bool { self == .ringHash || self == .maglev }
}
