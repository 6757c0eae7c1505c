internal import FilterAPI

/// The numbers of one breaker, as the filter and perhaps a route set them.
struct BreakerRules {
    /// How many requests may run at once; 0 for no limit.
    var maxRequests = 0
    /// For those over it; nil where they are answered at once.
    var queue: CircuitBreaker.QueueSettings?
    /// When failures open it; nil for never.
    var errors: ErrorRules?

    /// - Parameter own: what a route sets in place of the filter's; nil where it sets nothing.
    init(_ settings: CircuitBreaker.Settings, own: CircuitBreaker.RouteSettings? = nil) {
        if let own, !own.enabled { return }
        maxRequests = own?.maxRequests ?? settings.maxRequests ?? 0
        let waits = (own?.onOpen ?? settings.onOpen) == .queue && settings.scope != .endpoint && maxRequests > 0
        queue = waits ? own?.queue ?? settings.queue : nil
        errors = (own?.errors ?? settings.errors).map { ErrorRules($0) }
    }

    /// Whether nothing is ever refused.
    var isOff: Bool { maxRequests == 0 && errors == nil }
}
