public import FilterAPI

extension Retry {
    /// When, how often and how fast requests are tried again.
    public struct Settings: FilterSettings {
        /// For what.
        public var on: [RetryCondition] = [
            .connectFailure, .refusedStream, .resetBeforeRequest, .unavailable, .cancelled,
        ]
        /// How often at most, the first try not counted.
        public var attempts = 1
        /// Time for each try; 0 for none of its own. The route's timeout holds for all of them together.
        public var perTryTimeout = Duration.zero
        /// Time in which nothing comes from the upstream during a try; 0 for none of its own.
        public var perTryIdleTimeout = Duration.zero
        /// The pause before each further try.
        public var backoff = BackoffSettings()
        /// The longest `Retry-After` that is waited for; 0 pays no regard to that field.
        public var maxRetryAfter = Duration.seconds(300)
        /// Statuses for `retriable-status-codes`.
        public var statusCodes: [Int] = []
        /// Fields of answers for `retriable-headers`; one that passes its test is enough.
        public var responseHeaders: [String: Router.ValueSettings] = [:]
        /// Whether requests are tried again that may do harm when they are sent twice (POST, PATCH).
        public var nonIdempotent = false
        /// The largest body that is kept for further tries; a request with a larger one is not tried again.
        public var maxBody = ByteSize.kibibytes(64)
        /// The share of requests that may be further tries.
        public var budget = BudgetSettings()
        /// Further tries at once, over all workers and for each cluster; no limit of its own unless it is set.
        public var maxConcurrent: Int?
        /// How much of a gRPC answer is held back until its trailers tell the status; 0 looks at heads only.
        public var grpcHoldBack = ByteSize.bytes(0)
        /// Who is told the number of the try in `x-envoy-attempt-count`.
        public var attemptCount = AttemptCount.off

        /// Safe conditions, one further try.
        public init() {}

        /// Checks numbers, and that what conditions need is there.
        public func validate(_ check: inout SettingsCheck) {
            if on.isEmpty { check.error("on", "there is no condition", hint: "for example `on: [ connect-failure ]`") }
            if attempts < 0 || attempts > 100 { check.error("attempts", "must be between 0 and 100") }
            if maxConcurrent.map({ $0 < 1 }) == true { check.error("max_concurrent", "must be at least 1") }
            for (index, code) in statusCodes.enumerated() where code < 200 || code > 599 {
                check.error("status_codes[\(index)]", "must be between 200 and 599")
            }
            for name in responseHeaders.keys where HeaderName(name) == nil {
                check.error("response_headers.\(name)", "`\(name)` cannot be the name of a header field")
            }
            checkPairs(&check)
        }

        private func checkPairs(_ check: inout SettingsCheck) {
            let pairs: [(RetryCondition, String, Bool)] = [
                (.retriableStatusCodes, "status_codes", statusCodes.isEmpty),
                (.retriableHeaders, "response_headers", responseHeaders.isEmpty),
            ]
            for (condition, key, isEmpty) in pairs where on.contains(condition) == isEmpty {
                if isEmpty {
                    check.error("on", "`\(condition.rawValue)` needs `\(key)`")
                } else {
                    check.error(key, "is not used", hint: "add `\(condition.rawValue)` to `on`")
                }
            }
            if grpcHoldBack.bytes > 0, RetryConditions(on).isDisjoint(with: .grpc) {
                check.error(
                    "grpc_hold_back", "is not used", hint: "add a gRPC condition to `on`, such as `unavailable`")
            }
            if perTryTimeout > .zero, RetryConditions(on).isDisjoint(with: .noAnswer) {
                check.warning(
                    "per_try_timeout", "a try that takes too long ends the request, as no condition asks for another",
                    hint: "add `reset`, `gateway-error` or `5xx` to `on`")
            }
        }
    }

    /// The pause before a further try: a random time up to a limit that doubles with each try.
    public struct BackoffSettings: SettingsStruct {
        /// The limit before the second try; (2^n - 1) times as much before try n + 1.
        public var base = Duration.milliseconds(25)
        /// The largest limit; ten times `base` unless it is set.
        public var max: Duration?

        /// 25 ms, up to 250 ms.
        public init() {}

        /// Checks the order.
        public func validate(_ check: inout SettingsCheck) {
            if let max, max < base { check.error("max", "must not be less than `base`") }
        }
    }

    /// How many further tries there may be in relation to requests.
    public struct BudgetSettings: SettingsStruct {
        /// Further tries for each hundred requests of the last `window`, for each cluster and worker.
        public var percent = Percent.percent(20)
        /// As many may run at once, over all workers, whatever the share says.
        public var minConcurrent = 3
        /// The time over which requests and further tries are compared.
        public var window = Duration.seconds(10)

        /// A fifth, and at least three.
        public init() {}

        /// Checks numbers.
        public func validate(_ check: inout SettingsCheck) {
            if minConcurrent < 0 { check.error("min_concurrent", "must not be negative") }
            if window < .seconds(1) { check.error("window", "must be at least 1s") }
        }
    }

    /// Who is told the number of the try.
    public enum AttemptCount: String, Codable, Sendable, CaseIterable {
        /// Nobody.
        case off
        /// The upstream.
        case request
        /// The client.
        case response
        /// The upstream and the client.
        case both
    }
}
