internal import FilterAPI

/// Everything that is said where a request is refused, made once so that refusing costs little.
final class Refusal {
    enum Cause {
        case maxRequests
        case open
        case queueFull
        case queueTimeout

        /// For logs.
        var reason: StaticString {
            switch self {
            case .maxRequests: "circuit_breaker.max_requests"
            case .open: "circuit_breaker.open"
            case .queueFull: "circuit_breaker.queue_full"
            case .queueTimeout: "circuit_breaker.queue_timeout"
            }
        }
    }

    let cause: Cause
    let limit: ReachedLimit
    /// For the client.
    let body: String

    init(_ cause: Cause, _ text: String, place: String) {
        self.cause = cause
        limit = ReachedLimit(text: text, place: place)
        body = text + "\n"
    }
}
