internal import FilterAPI

/// How often what was found is acted upon; what is left is only counted.
struct EnforcingSettings: SettingsStruct, Equatable {
    var consecutive5xx = Percent.all
    var consecutiveGatewayFailure = Percent.zero
    var consecutiveLocalOriginFailure = Percent.all
    var successRate = Percent.all
    var localOriginSuccessRate = Percent.all
    var failurePercentage = Percent.zero
    var failurePercentageLocalOrigin = Percent.zero

    enum CodingKeys: String, CodingKey {
        case consecutive5xx = "consecutive_5xx"
        case consecutiveGatewayFailure, consecutiveLocalOriginFailure, successRate, localOriginSuccessRate
        case failurePercentage, failurePercentageLocalOrigin
    }

    init() {}
}
