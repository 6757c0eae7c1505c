internal import FilterAPI

/// Endpoints whose share of bad answers is large, whatever that of the others is.
struct FailurePercentageSettings: SettingsStruct, Equatable {
    /// From this share on an endpoint is bad.
    var threshold = Percent.percent(85)
    /// With fewer endpoints that have had enough requests nothing is looked at.
    var minimumHosts = 5
    /// Requests that an endpoint must have had in an interval to be looked at.
    var requestVolume = 50

    init() {}

    func validate(_ check: inout SettingsCheck) {
        if minimumHosts < 1 { check.error("minimum_hosts", "must be at least 1") }
        if requestVolume < 1 { check.error("request_volume", "must be at least 1") }
    }
}
