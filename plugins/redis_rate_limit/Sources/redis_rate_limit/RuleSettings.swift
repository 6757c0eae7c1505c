public import FilterAPI

/// The numbers of a limit, as a filter or a route sets them.
struct RuleSettings: Equatable {
    var requests: Int?
    var per: Duration?
    var burst: Int?
    var by: RedisRateLimit.SubjectSettings?
    var missing: RedisRateLimit.Missing?

    /// The most that a bucket may take to be full; keeps all arithmetic far from its bounds.
    private static let longest = Duration.seconds(365 * 86_400)

    func validate(_ check: inout SettingsCheck) {
        guard let requests else {
            if self != RuleSettings() {
                check.error("requests", "is missing", hint: "for example `requests: 100`")
            }
            return
        }
        let span = per ?? .seconds(1)
        if requests < 1 { return check.error("requests", "must be at least 1") }
        if let burst, burst < 1 { return check.error("burst", "must be at least 1") }
        if span < .milliseconds(1) { return check.error("per", "must be at least 1ms") }
        if Duration.microseconds(requests) > span {
            return check.error("requests", "is more than a million a second, which no Redis decides")
        }
        let (whole, overflow) = (span.wholeNanoseconds / UInt64(requests))
            .multipliedReportingOverflow(by: UInt64(burst ?? requests))
        if span > Self.longest || overflow || whole > Self.longest.wholeNanoseconds {
            check.error(burst == nil ? "per" : "burst", "an empty bucket would take more than a year to be full again")
        }
        if missing != nil, by?.header == nil { check.error("missing", "is for `by: { header: NAME }`") }
    }
}

extension RedisRateLimit {
    /// What has a limit of its own: a word, or a field by its name.
    public struct SubjectSettings: SettingsStruct, Equatable {
        /// Each value of this field.
        public var header: String?
        /// The short form.
        var word: String?

        enum CodingKeys: String, CodingKey {
            case header
        }

        /// Nothing yet.
        public init() {}

        /// A word.
        public init?(shorthand: String) { word = shorthand }

        /// Checks the word or the name.
        public func validate(_ check: inout SettingsCheck) {
            if let word {
                if !["listener", "route", "client_address"].contains(word) {
                    check.error(
                        "", "expected `listener`, `route`, `client_address` or a field",
                        hint: "a field is written as `by: { header: \(HeaderName(word) == nil ? "x-api-key" : word) }`")
                }
            } else if header.map({ HeaderName($0) == nil }) ?? true {
                check.error("header", "must be the name of a header field")
            }
        }
    }
}
