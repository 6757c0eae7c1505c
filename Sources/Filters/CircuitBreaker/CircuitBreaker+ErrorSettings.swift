public import FilterAPI

extension CircuitBreaker {
    /// When failures open a breaker, and how it closes again.
    public struct ErrorSettings: SettingsStruct, Hashable {
        /// How far back failures count.
        public var window = Duration.seconds(10)
        /// Rates are looked at from so many outcomes in the window on.
        public var minRequests = 20
        /// The share of failures that opens it.
        public var failureRate = Percent.percent(50)
        /// So many failures in a row open it; 0 for never.
        public var consecutive = 0
        /// From how long on an answer is slow; nil for never.
        public var slowCall: Duration?
        /// The share of slow answers that opens it.
        public var slowRate = Percent.percent(80)
        /// How long it stays open.
        public var openFor = Duration.seconds(5)
        /// The most that `openFor` grows to: it doubles each time that the breaker opens without having been closed.
        public var maxOpenFor = Duration.seconds(60)
        /// How many requests at once try whether it may close, and how many of them must succeed.
        public var probes = 3
        /// What counts as a failure.
        public var failures: [Failure] = [.status5xx, .connectFailure, .timeout, .reset, .grpc]

        /// The defaults.
        public init() {}

        /// Checks the numbers.
        public func validate(_ check: inout SettingsCheck) {
            if window < .milliseconds(100) || window > .seconds(3600) {
                check.error("window", "must be between 100ms and 1h")
            }
            if minRequests < 1 { check.error("min_requests", "must be at least 1") }
            if failureRate <= .zero { check.error("failure_rate", "must be more than 0%") }
            if slowRate <= .zero { check.error("slow_rate", "must be more than 0%") }
            if consecutive < 0 { check.error("consecutive", "must be 0 or more") }
            if let slowCall, slowCall <= .zero { check.error("slow_call", "must be more than 0") }
            if openFor <= .zero { check.error("open_for", "must be more than 0") }
            if maxOpenFor < openFor {
                check.error("max_open_for", "is less than `open_for`", hint: "the same value keeps it from growing")
            }
            if probes < 1 || probes > 1000 { check.error("probes", "must be between 1 and 1000") }
            if failures.isEmpty, slowCall == nil {
                check.error("failures", "nothing is a failure", hint: "leave it out for the usual ones")
            }
        }
    }

    /// What counts as a failure.
    public enum Failure: String, Codable, Sendable, CaseIterable {
        /// A status from 500 on, of the upstream.
        case status5xx = "5xx"
        /// 502, 503 or 504 of the upstream.
        case gatewayError = "gateway-error"
        /// No connection could be made.
        case connectFailure = "connect-failure"
        /// The upstream did not answer in time.
        case timeout
        /// The upstream closed, reset or broke the protocol.
        case reset
        /// A status of gRPC that says that the server failed: 2, 4, 8, 13 or 14.
        case grpc
    }
}
