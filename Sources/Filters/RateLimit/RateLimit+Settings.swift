public import FilterAPI

extension RateLimit {
    /// What a chain sets for it.
    public struct Settings: FilterSettings {
        /// How many requests may pass in `per`, in the long run.
        public var requests: Int?
        /// For how long `requests` are.
        public var per: Duration?
        /// How many requests may pass at once; as many as `requests` unless it is set.
        public var burst: Int?
        /// What has a limit of its own; the listener unless it is set.
        public var by: SubjectSettings?
        /// What becomes of requests without the field that `by` names.
        public var missing: Missing?
        /// In place of the keys above: several limits, all of which a request must pass.
        public var rules: [RuleSettings] = []
        /// When requests are counted.
        public var decide = Decide.route
        /// The status of the answer to requests over the limit.
        public var status = 429
        /// Its body; which limit it was unless it is set.
        public var body: String?
        /// Which answers tell of the limit in their fields.
        public var headers = FieldUse.onLimit
        /// How the names of these fields begin.
        public var headerPrefix = FieldPrefix.standard
        /// For how many clients and values of fields there is room.
        public var maxKeys = 10_000

        /// No limit but those of routes.
        public init() {}

        /// The rules, however they are written.
        var allRules: [RuleSettings] { RuleSettings.all(single, rules) }

        private var single: RuleSettings {
            RuleSettings(requests: requests, per: per, burst: burst, by: by, missing: missing)
        }

        /// Checks the numbers.
        public func validate(_ check: inout SettingsCheck) {
            RuleSettings.validate(single, rules, &check)
            if status < 400 || status > 599 { check.error("status", "must be between 400 and 599") }
            if maxKeys < 1 || maxKeys > 1_000_000 { check.error("max_keys", "must be between 1 and 1000000") }
        }
    }

    /// What a route sets for its own requests.
    public struct RouteSettings: FilterSettings {
        /// Whether the route's requests are limited.
        public var enabled = true
        /// How many requests may pass in `per`, in the long run.
        public var requests: Int?
        /// For how long `requests` are.
        public var per: Duration?
        /// How many requests may pass at once; as many as `requests` unless it is set.
        public var burst: Int?
        /// What has a limit of its own; the route unless it is set.
        public var by: SubjectSettings?
        /// What becomes of requests without the field that `by` names.
        public var missing: Missing?
        /// In place of the keys above: several limits.
        public var rules: [RuleSettings] = []

        /// Nothing of its own.
        public init() {}

        /// The rules, however they are written; none where those of the filter hold.
        var allRules: [RuleSettings] { RuleSettings.all(single, rules) }

        private var single: RuleSettings {
            RuleSettings(requests: requests, per: per, burst: burst, by: by, missing: missing)
        }

        /// Checks the numbers, and that the rules are about the route.
        public func validate(_ check: inout SettingsCheck) {
            RuleSettings.validate(single, rules, &check)
            let subjects = [("by", by)] + rules.enumerated().map { ("rules[\($0)].by", $1.by) }
            for (key, by) in subjects where by?.word == "listener" {
                check.error(key, "a route limits its own requests", hint: "`by: route` is for all of them together")
            }
        }
    }

    /// When requests are counted.
    public enum Decide: String, Codable, Sendable, CaseIterable {
        /// When their head comes by: before the filters below, and before a route is known.
        case head
        /// When their route is known, and where they go.
        case route
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
