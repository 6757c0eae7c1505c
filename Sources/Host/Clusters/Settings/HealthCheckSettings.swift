internal import FilterAPI

/// One of a cluster's health checks: what each endpoint is asked, how often, and what follows from the answers.
///
/// Names are Envoy's.
struct HealthCheckSettings: SettingsStruct, Equatable {
    /// A request, and the answer that a good endpoint gives.
    var http: HTTPCheckSettings?
    /// A call of gRPC's own health service.
    var grpc: GRPCCheckSettings?
    /// A connection, and what is sent and comes back on it.
    var tcp: TCPCheckSettings?
    /// From the end of one check to the beginning of the next.
    var interval = Duration.seconds(5)
    /// Up to so much longer, by lot, before each check.
    var intervalJitter = Duration.zero
    /// Up to so long, by lot, before the first check.
    var initialJitter = Duration.zero
    /// For one check: the connection, what its filters do, and the answer.
    var timeout = Duration.seconds(1)
    /// Checks in a row that find nobody, or nobody who answers in time, after which an endpoint is bad.
    var unhealthyThreshold = 3
    /// Checks in a row that pass, after which a bad endpoint is good.
    var healthyThreshold = 2
    /// In place of `interval` while no request has gone to the cluster.
    var noTrafficInterval: Duration?
    /// In place of `interval` while the endpoint is bad.
    var unhealthyInterval: Duration?
    /// In place of `unhealthyInterval` between the checks that are to show whether a good endpoint is bad.
    var unhealthyEdgeInterval: Duration?
    /// In place of `interval` between the checks that are to show whether a bad endpoint is good.
    var healthyEdgeInterval: Duration?
    /// Whether a connection is kept from one check to the next, where that can be.
    var reuseConnection = true
    /// Where the endpoint is asked, if not at its own port.
    var port: Int?
    /// Whether each failure is told, or only what changes by it.
    var alwaysLogFailures = false

    init() {}

    func validate(_ check: inout SettingsCheck) {
        let kinds = [("http", http != nil), ("grpc", grpc != nil), ("tcp", tcp != nil)].filter(\.1).map(\.0)
        if kinds.isEmpty {
            check.error(
                "", "a health check needs `http`, `grpc` or `tcp`",
                hint: "`http: { path: /healthz }`, or `tcp: {}` for a connection only")
        } else if kinds.count > 1 {
            check.error(
                kinds[1], "a check is one of `http`, `grpc` and `tcp`",
                hint: "write two checks: an endpoint must pass both")
        }
        checkTimes(&check)
        if unhealthyThreshold < 1 { check.error("unhealthy_threshold", "must be at least 1") }
        if healthyThreshold < 1 { check.error("healthy_threshold", "must be at least 1") }
        if let port, port < 1 || port > 65_535 { check.error("port", "must be between 1 and 65535") }
    }

    private func checkTimes(_ check: inout SettingsCheck) {
        let intervals: [(String, Duration?)] = [
            ("interval", interval), ("no_traffic_interval", noTrafficInterval),
            ("unhealthy_interval", unhealthyInterval), ("unhealthy_edge_interval", unhealthyEdgeInterval),
            ("healthy_edge_interval", healthyEdgeInterval),
        ]
        for case (let key, let time?) in intervals where time < .milliseconds(10) || time > .seconds(86_400) {
            check.error(key, "must be between 10ms and 24h")
        }
        for (key, time) in [("interval_jitter", intervalJitter), ("initial_jitter", initialJitter)]
        where time < .zero || time > .seconds(86_400) {
            check.error(key, "must be between 0 and 24h")
        }
        if timeout < .milliseconds(10) || timeout > .seconds(600) {
            check.error("timeout", "must be between 10ms and 10m", hint: "1s unless it is set")
        }
    }
}
