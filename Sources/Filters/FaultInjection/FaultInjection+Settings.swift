public import FilterAPI

extension FaultInjection {
    /// What a chain sets for it.
    public struct Settings: FilterSettings {
        /// How requests are delayed.
        public var delay: DelaySettings?
        /// How requests are answered in place of the upstream.
        public var abort: AbortSettings?
        /// Tests of fields that a request must pass to be picked.
        public var headers: [String: Router.ValueSettings] = [:]
        /// Whether requests may ask for faults themselves.
        public var byHeader = false
        /// The longest delay that a request may ask for.
        public var maxDelay = Duration.seconds(60)
        /// How many requests are delayed at once, over all workers; nil for no limit.
        public var maxActive: Int?

        /// No fault but those of routes.
        public init() {}

        /// Checks that what is set does something.
        public func validate(_ check: inout SettingsCheck) {
            if let delay, delay.fixed == nil, !byHeader {
                check.error("delay.fixed", "is missing", hint: "for example `fixed: 100ms`")
            }
            if maxDelay < .zero || maxDelay > DelaySettings.longest {
                check.error("max_delay", "must be between 0 and 1h")
            }
            if let maxActive, maxActive < 0 { check.error("max_active", "must not be negative") }
            FaultInjection.validate(headers, &check)
        }
    }

    /// What a route sets for its own requests; what it leaves out stays as the filter has it.
    public struct RouteSettings: FilterSettings {
        /// Whether there are faults for the route's requests.
        public var enabled = true
        /// In place of the filter's, as a whole.
        public var delay: DelaySettings?
        /// In place of the filter's, as a whole.
        public var abort: AbortSettings?
        /// In place of the filter's, as a whole.
        public var headers: [String: Router.ValueSettings]?

        /// Changes nothing.
        public init() {}

        /// Checks the names of fields.
        public func validate(_ check: inout SettingsCheck) { FaultInjection.validate(headers ?? [:], &check) }
    }

    /// How requests are delayed.
    public struct DelaySettings: SettingsStruct {
        /// For how long; nil where requests say it themselves.
        public var fixed: Duration?
        /// Which share of the requests.
        public var percentage = Percent.all

        static let longest = Duration.seconds(3600)

        /// All requests.
        public init() {}

        /// Checks the time.
        public func validate(_ check: inout SettingsCheck) {
            if let fixed, fixed <= .zero || fixed > Self.longest {
                check.error("fixed", "must be more than 0, and 1h at most")
            }
        }
    }

    /// How requests are answered in place of the upstream.
    public struct AbortSettings: SettingsStruct {
        /// The status.
        public var status = 503
        /// The status for clients of gRPC; what `status` means to them unless it is set.
        public var grpcStatus: Int?
        /// Which share of the requests.
        public var percentage = Percent.all

        /// All requests, with 503.
        public init() {}

        /// Checks the numbers.
        public func validate(_ check: inout SettingsCheck) {
            if !FaultInjection.statuses.contains(status) { check.error("status", "must be between 200 and 599") }
            if let grpcStatus, grpcStatus < 1 || grpcStatus > 16 {
                check.error("grpc_status", "must be between 1 and 16")
            }
        }
    }

    static let statuses = 200...599

    private static func validate(_ headers: [String: Router.ValueSettings], _ check: inout SettingsCheck) {
        for name in headers.keys where HeaderName(name) == nil {
            check.error("headers.\(name)", "`\(name)` cannot be the name of a header field")
        }
    }
}

extension FaultInjection.Settings {
    /// These settings with a route's in place of what it says.
    func changed(by route: FaultInjection.RouteSettings) -> Self {
        var changed = self
        changed.delay = route.delay ?? delay
        changed.abort = route.abort ?? abort
        changed.headers = route.headers ?? headers
        return changed
    }
}
