public import FilterAPI

extension Retry {
    /// What a route says in place of the filter's settings; what it leaves out stays as it is there.
    public struct RouteSettings: FilterSettings {
        /// For what.
        public var on: [RetryCondition]?
        /// How often at most; 0 for never.
        public var attempts: Int?
        /// Time for each try.
        public var perTryTimeout: Duration?
        /// Time in which nothing comes from the upstream during a try.
        public var perTryIdleTimeout: Duration?
        /// The pause before each further try.
        public var backoff: BackoffSettings?
        /// The longest `Retry-After` that is waited for.
        public var maxRetryAfter: Duration?
        /// Statuses for `retriable-status-codes`.
        public var statusCodes: [Int]?
        /// Fields of answers for `retriable-headers`.
        public var responseHeaders: [String: Router.ValueSettings]?
        /// Whether requests are tried again that may do harm when they are sent twice.
        public var nonIdempotent: Bool?
        /// How much of a gRPC answer is held back.
        public var grpcHoldBack: ByteSize?

        /// Changes nothing.
        public init() {}

        /// Checks what can be seen without the filter's settings.
        public func validate(_ check: inout SettingsCheck) {
            if let attempts, attempts < 0 || attempts > 100 { check.error("attempts", "must be between 0 and 100") }
            for name in (responseHeaders ?? [:]).keys where HeaderName(name) == nil {
                check.error("response_headers.\(name)", "`\(name)` cannot be the name of a header field")
            }
        }
    }
}

extension Retry.Settings {
    /// These settings with a route's in place of what it says.
    func changed(by route: Retry.RouteSettings) -> Self {
        var changed = self
        changed.on = route.on ?? on
        changed.attempts = route.attempts ?? attempts
        changed.perTryTimeout = route.perTryTimeout ?? perTryTimeout
        changed.perTryIdleTimeout = route.perTryIdleTimeout ?? perTryIdleTimeout
        changed.backoff = route.backoff ?? backoff
        changed.maxRetryAfter = route.maxRetryAfter ?? maxRetryAfter
        changed.statusCodes = route.statusCodes ?? statusCodes
        changed.responseHeaders = route.responseHeaders ?? responseHeaders
        changed.nonIdempotent = route.nonIdempotent ?? nonIdempotent
        changed.grpcHoldBack = route.grpcHoldBack ?? grpcHoldBack
        return changed
    }
}
