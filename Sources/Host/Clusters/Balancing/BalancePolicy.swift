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
}
