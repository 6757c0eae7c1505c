public import FilterAPI

extension RateLimit {
    /// One limit.
    public struct RuleSettings: SettingsStruct, Hashable {
        /// How many requests may pass in `per`, in the long run.
        public var requests: Int?
        /// For how long `requests` are.
        public var per: Duration?
        /// How many requests may pass at once; as many as `requests` unless it is set.
        public var burst: Int?
        /// What has a limit of its own.
        public var by: SubjectSettings?
        /// What becomes of requests without the field that `by` names.
        public var missing: Missing?

        /// No limit yet.
        public init() {}

        init(requests: Int?, per: Duration?, burst: Int?, by: SubjectSettings?, missing: Missing?) {
            self.requests = requests
            self.per = per
            self.burst = burst
            self.by = by
            self.missing = missing
        }

        /// The most that a bucket may take to be full; keeps all arithmetic far from its bounds.
        private static let longest = Duration.seconds(8760 * 3600)

        /// `per` with its default.
        var span: Duration { per ?? .seconds(1) }

        private var isEmpty: Bool { self == RuleSettings() }

        /// The rules of settings that may have one rule among their own keys, or a list.
        static func all(_ single: RuleSettings, _ rules: [RuleSettings]) -> [RuleSettings] {
            single.isEmpty ? rules : [single]
        }

        static func validate(_ single: RuleSettings, _ rules: [RuleSettings], _ check: inout SettingsCheck) {
            if !single.isEmpty {
                single.validate(&check)
                if !rules.isEmpty { check.error("rules", "`rules` and numbers beside it exclude each other") }
            }
            if rules.count > RateLimit.mostRules { check.error("rules", "there may be \(RateLimit.mostRules) at most") }
            for (index, rule) in rules.enumerated() {
                guard let first = rules[..<index].firstIndex(of: rule) else { continue }
                check.error("rules[\(index)]", "is the same as `rules[\(first)]`")
            }
        }

        /// Checks the numbers.
        public func validate(_ check: inout SettingsCheck) {
            guard let requests else {
                return check.error("requests", "is missing", hint: "for example `requests: 100`")
            }
            if requests < 1 { return check.error("requests", "must be at least 1") }
            if let burst, burst < 1 { return check.error("burst", "must be at least 1") }
            if span < .milliseconds(1) { return check.error("per", "must be at least 1ms") }
            if requests > 1_000_000_000 || Duration.nanoseconds(requests) * 100 > span {
                return check.error("requests", "is more than ten million a second, which is no limit")
            }
            let token = span.wholeNanoseconds / UInt64(requests)
            let (whole, overflow) = token.multipliedReportingOverflow(by: UInt64(burst ?? requests))
            if span > Self.longest || overflow || whole > Self.longest.wholeNanoseconds {
                check.error(
                    burst == nil ? "per" : "burst", "an empty bucket would take more than a year to be full again")
            }
            if missing != nil, by?.header == nil {
                check.error("missing", "is for `by: { header: NAME }`")
            }
        }
    }

    /// What has a limit of its own: a word, or a field by its name.
    public struct SubjectSettings: SettingsStruct, Hashable {
        /// Each value of this field.
        public var header: String?
        /// The short form.
        var word: String?

        enum CodingKeys: String, CodingKey {
            case header
        }

        static let words = ["listener", "route", "client_address"]

        /// Nothing yet.
        public init() {}

        /// A word.
        public init?(shorthand: String) { word = shorthand }

        /// Checks the word or the name.
        public func validate(_ check: inout SettingsCheck) {
            if let word {
                if !Self.words.contains(word) {
                    check.error(
                        "", "expected `listener`, `route`, `client_address` or a field",
                        hint: "a field is written as `by: { header: \(HeaderName(word) == nil ? "x-api-key" : word) }`")
                }
            } else if let header {
                if HeaderName(header) == nil {
                    check.error("header", "`\(header)` cannot be the name of a header field")
                }
            } else {
                check.error("header", "is missing")
            }
        }
    }

    /// What becomes of requests without the field that has the key.
    public enum Missing: String, Codable, Sendable, CaseIterable {
        /// They pass this rule.
        case allow
        /// All of them together are limited as one value is.
        case limit
    }
}
