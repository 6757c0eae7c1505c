public import FilterAPI

extension RedisRateLimit {
    /// What a chain sets for it: `redis_rate_limit: { server: "127.0.0.1:6379", requests: 100, by: client_address }`.
    public struct Settings: FilterSettings {
        /// Where Redis is: `host:port`, or `unix:/path`.
        public var server: String?
        /// Who logs in there, where its list of users has more than the one.
        public var user: String?
        /// The password; nil for none.
        public var password: String?
        /// The number of the database.
        public var database = 0
        /// How long a request may wait for Redis.
        public var timeout = Duration.milliseconds(50)
        /// What becomes of requests where Redis does not decide.
        public var onError = OnError.open
        /// How many requests may wait for Redis at once, over all workers.
        public var maxPending = 1000
        /// How all keys in Redis begin.
        public var keyPrefix = "sluice"
        /// What the limit is called: who has the same name there shares it. The listener's name unless it is set.
        public var name: String?

        /// How many requests may pass in `per`, in the long run; none unless it is set.
        public var requests: Int?
        /// For how long `requests` are.
        public var per: Duration?
        /// How many requests may pass at once; as many as `requests` unless it is set.
        public var burst: Int?
        /// What has a limit of its own; the listener unless it is set.
        public var by: SubjectSettings?
        /// What becomes of requests without the field that `by` names.
        public var missing: Missing?

        /// The status of the answer to requests over the limit.
        public var status = 429
        /// Its body; which limit it was unless it is set.
        public var body: String?
        /// Which answers tell of the limit in their fields.
        public var headers = FieldUse.onLimit
        /// How the names of these fields begin.
        public var headerPrefix = FieldPrefix.standard

        /// No server yet.
        public init() {}

        var rule: RuleSettings {
            RuleSettings(requests: requests, per: per, burst: burst, by: by, missing: missing)
        }

        /// Checks numbers and names.
        public func validate(_ check: inout SettingsCheck) {
            if let server {
                if ServerAddress(server) == nil {
                    check.error(
                        "server", "is not where a server could be",
                        hint: "`127.0.0.1:6379`, `[::1]:6379` or `unix:/path`")
                }
            } else {
                check.error("server", "say where Redis is", hint: "for example `server: \"127.0.0.1:6379\"`")
            }
            if user != nil, password == nil { check.error("user", "has no `password`") }
            if !(0...1_000_000).contains(database) { check.error("database", "must not be negative") }
            if timeout < .milliseconds(1) { check.error("timeout", "must be at least 1ms") }
            if !(1...100_000).contains(maxPending) { check.error("max_pending", "must be between 1 and 100000") }
            if !(400...599).contains(status) { check.error("status", "must be between 400 and 599") }
            rule.validate(&check)
        }
    }

    /// What a route sets for its own requests.
    public struct RouteSettings: FilterSettings {
        /// Whether the route's requests are limited.
        public var enabled = true
        /// How many requests may pass in `per`, in the long run; the filter's limit holds unless it is set.
        public var requests: Int?
        /// For how long `requests` are.
        public var per: Duration?
        /// How many requests may pass at once; as many as `requests` unless it is set.
        public var burst: Int?
        /// What has a limit of its own; the route unless it is set.
        public var by: SubjectSettings?
        /// What becomes of requests without the field that `by` names.
        public var missing: Missing?

        /// Nothing of its own.
        public init() {}

        var rule: RuleSettings {
            RuleSettings(requests: requests, per: per, burst: burst, by: by, missing: missing)
        }

        /// Checks the numbers, and that the limit is about the route.
        public func validate(_ check: inout SettingsCheck) {
            rule.validate(&check)
            if by?.word == "listener" {
                check.error("by", "a route limits its own requests", hint: "`by: route` is for all of them together")
            }
        }
    }

    /// What becomes of requests where Redis does not decide.
    public enum OnError: String, Codable, Sendable, CaseIterable {
        /// They go on.
        case open
        /// They are answered with 503.
        case closed
    }

    /// What becomes of requests without the field that has the key.
    public enum Missing: String, Codable, Sendable, CaseIterable {
        /// They pass.
        case allow
        /// All of them together are limited as one value is.
        case limit
    }

    /// Which answers tell of the limit.
    public enum FieldUse: String, Codable, Sendable, CaseIterable {
        /// Those to requests over the limit.
        case onLimit = "on_limit"
        /// All of them.
        case always
        /// None.
        case off
    }

    /// How the names of fields begin.
    public enum FieldPrefix: String, Codable, Sendable, CaseIterable {
        /// `ratelimit-limit`
        case standard = "ratelimit"
        /// `x-ratelimit-limit`
        case traditional = "x-ratelimit"
    }
}
