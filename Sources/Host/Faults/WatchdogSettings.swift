package import FilterAPI

/// When a worker counts as blocked.
package struct WatchdogSettings: SettingsStruct {
    /// A turn of a worker's loop that is longer is counted and logged, with the filter that it is in; 0 for never.
    package var miss = Duration.milliseconds(200)
    /// A longer one still, counted apart.
    package var megamiss = Duration.seconds(1)

    package init() {}

    package func validate(_ check: inout SettingsCheck) {
        if miss < .zero { check.error("miss", "must not be negative") }
        if miss > .zero, miss < .milliseconds(10) { check.error("miss", "must be 0, or 10ms at least") }
        if megamiss < miss { check.error("megamiss", "must not be shorter than `miss`") }
    }
}
