internal import FilterAPI

/// Endpoints whose share of good answers is far below that of the others.
struct SuccessRateSettings: SettingsStruct, Equatable {
    /// With fewer endpoints that have had enough requests nothing is compared.
    var minimumHosts = 5
    /// Requests that an endpoint must have had in an interval to be compared.
    var requestVolume = 100
    /// How many thousandths of a standard deviation below the mean is too far.
    var stdevFactor = 1900

    init() {}

    func validate(_ check: inout SettingsCheck) {
        if minimumHosts < 1 { check.error("minimum_hosts", "must be at least 1") }
        if requestVolume < 1 { check.error("request_volume", "must be at least 1") }
        if stdevFactor < 0 { check.error("stdev_factor", "must not be negative", hint: "1900 is 1.9 deviations") }
    }
}
