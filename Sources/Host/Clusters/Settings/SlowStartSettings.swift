internal import FilterAPI

/// How an endpoint that has just become good comes to its full share of the requests.
struct SlowStartSettings: SettingsStruct, Hashable {
    /// How long it takes.
    var window = Duration.seconds(30)
    /// The form of the way there: 1 is a straight line, more is faster at first, less is slower at first.
    var aggression = 1.0
    /// What it begins with, of its full weight.
    var minWeight = Percent.percent(10)

    init() {}

    func validate(_ check: inout SettingsCheck) {
        if window < .milliseconds(100) || window > .seconds(3600) {
            check.error("window", "must be between 100ms and 1h", hint: "leave `slow_start` out for none")
        }
        // Written so that no number at all is refused too.
        if !(aggression >= 0.1 && aggression <= 100) {
            check.error("aggression", "must be between 0.1 and 100", hint: "1.0 for a straight line")
        }
        if minWeight < .percent(1) { check.error("min_weight", "must be at least 1%") }
    }
}
