internal import FilterAPI

/// What workers count of a cluster.
enum ClusterStat: Int, StatKey {
    case cxTotal, cxActive, cxHTTP1Total, cxHTTP2Total, cxConnectFail, cxConnectTimeout, cxIdleTimeout, cxOverflow
    case cxDestroy, cxDestroyLocal, cxDestroyRemote, cxDestroyActiveRq, cxDestroyLocalActiveRq
    case cxDestroyRemoteActiveRq, cxReceived, cxSent, cxProtocolError, cxMaxRequests, cxNoneHealthy
    case pausedReading, resumedReading
    case rqTotal, rqActive, rqPendingTotal, rqPendingActive, rqPendingOverflow, rqActiveOverflow, rqPendingFailureEject
    case rqCancelled, rqTimeout, rqPerTryTimeout, rqReceivedReset, rqSentReset
    case rqRetry, rqRetrySuccess, rqRetryOverflow, rqFreshRetry
    case rqCompleted, rq1xx, rq2xx, rq3xx, rq4xx, rq5xx
    // The statuses that come up most; others have a group of their own.
    case rq200, rq201, rq204, rq206, rq301, rq302, rq304, rq307, rq400, rq401, rq403, rq404, rq408, rq409, rq429
    case rq500, rq501, rq502, rq503, rq504

    static let entries =
        scalars + StatSchema.Entry.statusClasses("upstream_rq") + usualCodes.map { code($0.code) } + histograms

    /// Statuses with a counter of their own.
    private static let usualCodes: [(code: Int, key: ClusterStat)] = [
        (200, .rq200), (201, .rq201), (204, .rq204), (206, .rq206), (301, .rq301), (302, .rq302), (304, .rq304),
        (307, .rq307), (400, .rq400), (401, .rq401), (403, .rq403), (404, .rq404), (408, .rq408), (409, .rq409),
        (429, .rq429), (500, .rq500), (501, .rq501), (502, .rq502), (503, .rq503), (504, .rq504),
    ]

    /// The counter of a status; nil for those that seldom come up.
    static func usualCode(_ status: Int) -> ClusterStat? {
        switch status {
        case 200: .rq200
        case 304: .rq304
        default: usualCodes.first { $0.code == status }?.key
        }
    }

    private static let scalars: [StatSchema.Entry] = [
        .init(.counter("upstream_cx_total", "Connections that were begun.")),
        .init(.gauge("upstream_cx_active", "Connections that are open, or are being made.")),
        .init(.counter("upstream_cx_http1_total", "Connections that speak HTTP/1.")),
        .init(.counter("upstream_cx_http2_total", "Connections over HTTP/2.")),
        .init(.counter("upstream_cx_connect_fail", "Connections that could not be made, TLS included.")),
        .init(.counter("upstream_cx_connect_timeout", "Connections that were not made within connect_timeout.")),
        .init(.counter("upstream_cx_idle_timeout", "Connections closed after idle_timeout without a request.")),
        .init(.counter("upstream_cx_overflow", "Times that max_connections left no room for a connection.")),
        .init(.counter("upstream_cx_destroy", "Connections that have ended.")),
        .init(.counter("upstream_cx_destroy_local", "Connections that Sluice has closed.")),
        .init(.counter("upstream_cx_destroy_remote", "Connections that the upstream has closed.")),
        .init(.counter("upstream_cx_destroy_with_active_rq", "Connections that ended while they carried a request.")),
        .init(
            .counter(
                "upstream_cx_destroy_local_with_active_rq",
                "Connections that Sluice has closed while they carried a request.")),
        .init(
            .counter(
                "upstream_cx_destroy_remote_with_active_rq",
                "Connections that the upstream has closed while they carried a request.")),
        .init(StatDescription("upstream_cx_rx_bytes_total", .counter, .bytes, "Bytes received from upstreams.")),
        .init(StatDescription("upstream_cx_tx_bytes_total", .counter, .bytes, "Bytes sent to upstreams.")),
        .init(.counter("upstream_cx_protocol_error", "Connections whose upstream broke the protocol.")),
        .init(.counter("upstream_cx_max_requests", "Connections closed after max_requests_per_connection.")),
        .init(.counter("upstream_cx_none_healthy", "Times that there was no endpoint to connect to.")),
        .init(
            .counter(
                "upstream_flow_control_paused_reading_total",
                "Times that a client was not read because the upstream was slow.")),
        .init(.counter("upstream_flow_control_resumed_reading_total", "Times that reading went on after that.")),
        .init(.counter("upstream_rq_total", "Requests given to a connection, each try counted.")),
        .init(.gauge("upstream_rq_active", "Requests that are at an upstream.")),
        .init(.counter("upstream_rq_pending_total", "Requests that had to wait for a connection.")),
        .init(.gauge("upstream_rq_pending_active", "Requests that wait for a connection.")),
        .init(.counter("upstream_rq_pending_overflow", "Requests refused because max_pending was reached.")),
        .init(.counter("upstream_rq_active_overflow", "Requests refused because max_requests was reached.")),
        .init(
            .counter(
                "upstream_rq_pending_failure_eject", "Requests that waited for a connection which could not be made.")),
        .init(.counter("upstream_rq_cancelled", "Requests given up before they had a connection.")),
        .init(.counter("upstream_rq_timeout", "Requests that had no answer when their time was over.")),
        .init(.counter("upstream_rq_per_try_timeout", "Tries that a filter gave up because they had no answer.")),
        .init(
            .counter("upstream_rq_rx_reset", "Requests that the upstream has reset, or whose connection it has closed.")
        ),
        .init(.counter("upstream_rq_tx_reset", "Requests that Sluice has given up at the upstream.")),
        .init(.counter("upstream_rq_retry", "Further tries of requests.")),
        .init(.counter("upstream_rq_retry_success", "Further tries that were answered with less than 500.")),
        .init(.counter("upstream_rq_retry_overflow", "Further tries that max_retries left no room for.")),
        .init(
            .counter(
                "upstream_rq_fresh_retry", "Requests sent once more because a kept connection had just been closed.")),
        .init(.counter("upstream_rq_completed", "Requests that were answered.")),
    ]

    private static let histograms: [StatSchema.Entry] = [
        .init(.histogram("upstream_cx_connect_ms", .time, "How long connections took to make, TLS included.")),
        .init(.histogram("upstream_cx_length_ms", .time, "How long connections were open."), range: .connections),
        .init(.histogram("upstream_rq_per_cx", .none, "Requests that connections had carried when they ended.")),
        .init(
            .histogram("upstream_rq_time", .time, "From the connection to the end of the answer, for each try."),
            prometheus: "=http_client_request_duration_seconds"),
    ]

    static let schema = StatSchema(entries)

    /// How the one for each status is shown.
    static func code(_ status: Int) -> StatSchema.Entry {
        .init(
            .counter("upstream_rq_\(status)", "Requests answered with this status."),
            prometheus: "upstream_rq_code_total",
            label: "response_code=\"\(status)\"")
    }

    /// The same for whatever status, for the reference.
    static let anyCode = StatSchema.Entry(
        .counter("upstream_rq_NNN", "Requests answered with this status."), prometheus: "upstream_rq_code_total",
        label: "response_code=\"NNN\"")

    static func ofStatus(_ status: Int) -> ClusterStat {
        switch status / 100 {
        case 1: .rq1xx
        case 2: .rq2xx
        case 3: .rq3xx
        case 4: .rq4xx
        default: .rq5xx
        }
    }
}

/// What the control thread knows of a cluster.
enum MembershipStat: Int, StatKey {
    case change, total, healthy, degraded, excluded, panic, version
    // What follows from the limits; worked out when somebody looks.
    case cxOpen, rqPendingOpen, rqOpen, rqRetryOpen, remainingCx, remainingPending, remainingRq, remainingRetries

    static let entries: [StatSchema.Entry] = [
        .init(.counter("membership_change", "Times that other endpoints served than before.")),
        .init(.gauge("membership_total", "Endpoints that are known."), isAlwaysShown: true),
        .init(.gauge("membership_healthy", "Endpoints that are good."), isAlwaysShown: true),
        .init(.gauge("membership_degraded", "Endpoints that serve only because too few are good.")),
        .init(
            .gauge(
                "membership_excluded", "Endpoints that are kept out until they have passed their first health check.")),
        .init(.gauge("lb_healthy_panic_active", "Priorities in panic: too few endpoints are good, and all are used.")),
        .init(.gauge("version", "The config generation that the cluster is of.")),
        limit("cx_open", "1 while max_connections is reached."),
        limit("rq_pending_open", "1 while max_pending is reached."),
        limit("rq_open", "1 while max_requests is reached."),
        limit("rq_retry_open", "1 while max_retries is reached."),
        limit("remaining_cx", "Connections until max_connections is reached."),
        limit("remaining_pending", "Requests that may still wait for a connection."),
        limit("remaining_rq", "Requests until max_requests is reached."),
        limit("remaining_retries", "Further tries until max_retries is reached; 0 where there is no such limit."),
    ]

    private static func limit(_ name: String, _ meaning: String) -> StatSchema.Entry {
        .init(.gauge("circuit_breakers.default.\(name)", meaning))
    }

    static let schema = StatSchema(entries)
}
