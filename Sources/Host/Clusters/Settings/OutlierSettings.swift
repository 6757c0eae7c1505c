internal import FilterAPI

/// Which endpoints are put aside for what they do with requests, and for how long.
///
/// The keys are Envoy's; where they are nested, the words joined by `_` are Envoy's name.
struct OutlierSettings: SettingsStruct, Equatable {
    /// So many answers with 5xx in a row; 0 for never. Where faults on the way are not counted apart, they count too.
    var consecutive5xx = 5
    /// So many answers with 502, 503 or 504 in a row; 0 for never.
    var consecutiveGatewayFailure = 5
    /// So many faults on the way in a row, where they are counted apart; 0 for never.
    var consecutiveLocalOriginFailure = 5
    /// Whether faults on the way (no connection, no answer) are counted apart from bad answers.
    var splitExternalLocalOriginErrors = false
    /// How often shares are looked at.
    var interval = Duration.seconds(10)
    /// How long an endpoint is put aside the first time; the second time twice as long, and so on.
    var baseEjectionTime = Duration.seconds(30)
    /// The longest time, jitter apart; never shorter than ``baseEjectionTime``.
    var maxEjectionTime = Duration.seconds(300)
    /// Up to so much is added to each time, by lot.
    var maxEjectionTimeJitter = Duration.zero
    /// The largest share of the endpoints that may be put aside at once. One may be, whatever the share, unless it is 0.
    var maxEjectionPercent = Percent.percent(50)
    /// Whether an endpoint comes back at once when an active health check finds it well.
    var successfulActiveHealthCheckUnejectHost = true
    var successRate = SuccessRateSettings()
    var failurePercentage = FailurePercentageSettings()
    var enforcing = EnforcingSettings()

    enum CodingKeys: String, CodingKey {
        case consecutive5xx = "consecutive_5xx"
        case consecutiveGatewayFailure, consecutiveLocalOriginFailure, splitExternalLocalOriginErrors
        case interval, baseEjectionTime, maxEjectionTime, maxEjectionTimeJitter, maxEjectionPercent
        case successfulActiveHealthCheckUnejectHost, successRate, failurePercentage, enforcing
    }

    init() {}

    /// `true` is all defaults.
    init?(shorthand: String) { guard shorthand == "true" else { return nil } }

    func validate(_ check: inout SettingsCheck) {
        if consecutive5xx < 0 { check.error("consecutive_5xx", "must not be negative", hint: Self.zero) }
        if consecutiveGatewayFailure < 0 {
            check.error("consecutive_gateway_failure", "must not be negative", hint: Self.zero)
        }
        if consecutiveLocalOriginFailure < 0 {
            check.error("consecutive_local_origin_failure", "must not be negative", hint: Self.zero)
        }
        if interval < .milliseconds(100) {
            check.error("interval", "must be at least 100ms", hint: "10s unless it is set")
        }
        if baseEjectionTime < .milliseconds(100) {
            check.error("base_ejection_time", "must be at least 100ms", hint: "30s unless it is set")
        }
        if !splitExternalLocalOriginErrors, consecutiveLocalOriginFailure != Self().consecutiveLocalOriginFailure {
            check.warning(
                "consecutive_local_origin_failure", "counts for nothing while faults on the way count as 5xx",
                hint: "add `split_external_local_origin_errors: true`")
        }
    }

    private static let zero = "0 for never"
}
