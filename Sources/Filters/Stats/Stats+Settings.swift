public import FilterAPI

extension Stats {
    /// What the config file sets.
    public struct Settings: FilterSettings {
        /// What tells series of the duration apart.
        public var labels = StatsLabel.allCases
        /// How many series there may be in the process; what is new from then on has one together.
        public var maxSeries = 1000
        /// Whether the sizes of bodies are measured.
        public var bodySizes = true

        /// The defaults.
        public init() {}

        /// Checks the numbers.
        public func validate(_ check: inout SettingsCheck) {
            if maxSeries < 1 || maxSeries > 100_000 { check.error("max_series", "must be between 1 and 100000") }
        }
    }
}
