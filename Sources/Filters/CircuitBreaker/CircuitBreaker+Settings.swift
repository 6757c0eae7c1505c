public import FilterAPI

extension CircuitBreaker {
    /// What a chain sets for it.
    public struct Settings: FilterSettings {
        /// What one breaker is for.
        public var scope = Scope.cluster
        /// How many requests may run at once; nil for no limit.
        public var maxRequests: Int?
        /// What becomes of requests over `maxRequests`.
        public var onOpen = OnOpen.fail
        /// For how many requests, and for how long.
        public var queue = QueueSettings()
        /// When failures open the breaker; nil for never.
        public var errors: ErrorSettings?

        /// The defaults, which break nothing.
        public init() {}

        /// Checks that there is something to break at, and that the numbers make sense.
        public func validate(_ check: inout SettingsCheck) {
            if maxRequests == nil, errors == nil {
                check.error(
                    "", "there is no limit",
                    hint: "for example `circuit_breaker: { max_requests: 200 }`, or `errors: {}` for its defaults")
            }
            CircuitBreaker.validate(maxRequests: maxRequests, &check)
            guard onOpen == .queue else { return }
            if maxRequests == nil {
                check.error("on_open", "`queue` is for requests over `max_requests`, which is not set")
            }
            if scope == .endpoint {
                check.error(
                    "on_open", "requests cannot wait for one endpoint",
                    hint: "without `queue` they go to another endpoint")
            }
        }
    }

    /// What a route sets for its own requests, which then have a breaker of their own.
    public struct RouteSettings: FilterSettings, Hashable {
        /// Whether the route's requests are looked at.
        public var enabled = true
        /// In place of the filter's.
        public var maxRequests: Int?
        /// In place of the filter's.
        public var onOpen: OnOpen?
        /// In place of the filter's, as a whole.
        public var queue: QueueSettings?
        /// In place of the filter's, as a whole.
        public var errors: ErrorSettings?

        /// Nothing of its own.
        public init() {}

        /// Whether anything is set but whether it is on.
        var hasNumbers: Bool { maxRequests != nil || onOpen != nil || queue != nil || errors != nil }

        /// Checks the numbers.
        public func validate(_ check: inout SettingsCheck) { CircuitBreaker.validate(maxRequests: maxRequests, &check) }
    }

    /// What one breaker is for.
    public enum Scope: String, Codable, Sendable, CaseIterable {
        /// All requests of the listener.
        case listener
        /// The requests of one route.
        case route
        /// The requests to one cluster, of all listeners.
        case cluster
        /// The requests to one endpoint of a cluster, of all listeners.
        case endpoint
    }

    /// What becomes of requests over the limit.
    public enum OnOpen: String, Codable, Sendable, CaseIterable {
        /// They are answered at once.
        case fail
        /// They wait for a place.
        case queue
    }

    /// How many requests wait, and for how long.
    public struct QueueSettings: SettingsStruct, Hashable {
        /// How many requests wait at once.
        public var max = 100
        /// How long each of them waits.
        public var timeout = Duration.seconds(1)

        /// The defaults.
        public init() {}

        /// Checks the numbers.
        public func validate(_ check: inout SettingsCheck) {
            if max < 1 || max > 1_000_000 { check.error("max", "must be between 1 and 1000000") }
            if timeout <= .zero { check.error("timeout", "must be more than 0") }
        }
    }

    static func validate(maxRequests: Int?, _ check: inout SettingsCheck) {
        if let maxRequests, maxRequests < 1 { check.error("max_requests", "must be at least 1") }
    }
}
