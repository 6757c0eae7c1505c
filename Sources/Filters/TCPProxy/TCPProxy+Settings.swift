public import FilterAPI

extension TCPProxy {
    /// What a chain sets for it.
    public struct Settings: FilterSettings {
        /// The cluster.
        public var to: String?
        /// How long no byte may move in either direction; 0 for no limit.
        public var idleTimeout = Duration.seconds(3600)
        /// Whether a client's address picks the endpoint, for clusters that balance by a hash.
        public var hashSource = false

        /// The defaults.
        public init() {}

        /// A cluster: `tcp_proxy: app`.
        public init?(shorthand: String) { to = shorthand }

        /// Checks that there is a cluster.
        public func validate(_ check: inout SettingsCheck) {
            if let to {
                check.usesCluster(to, at: "to")
            } else {
                check.error("to", "there is no cluster", hint: "for example `tcp_proxy: { to: app }`")
            }
        }
    }
}
