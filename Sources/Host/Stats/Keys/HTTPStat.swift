internal import FilterAPI

/// What is counted of a listener's HTTP.
enum HTTPStat: Int, StatKey {
    case cxTotal, cxActive, cxSSLTotal, cxSSLActive, cxHTTP1Total, cxHTTP1Active, cxHTTP2Total, cxHTTP2Active
    case cxUpgradesTotal, cxUpgradesActive
    case cxDestroy, cxDestroyLocal, cxDestroyRemote, cxDestroyActiveRq, cxDestroyLocalActiveRq
    case cxDestroyRemoteActiveRq, cxProtocolError, cxReceived, cxSent, cxDrainClose
    case pausedReading, resumedReading
    case rqTotal, rqHTTP1Total, rqHTTP2Total, rqActive, rqCompleted, rq1xx, rq2xx, rq3xx, rq4xx, rq5xx, rqNone
    case rqReceivedReset, rqSentReset, rqTooLarge, rqTimeout, rqIdleTimeout, rqResponseBeforeComplete, rqDirectResponse
    case noRoute, noCluster

    static let entries = first + StatSchema.Entry.statusClasses("downstream_rq") + others

    private static let first: [StatSchema.Entry] = [
        .init(.counter("downstream_cx_total", "Connections that speak HTTP.")),
        .init(.gauge("downstream_cx_active", "Connections that speak HTTP and are open."), isAlwaysShown: true),
        .init(.counter("downstream_cx_ssl_total", "Connections with TLS.")),
        .init(.gauge("downstream_cx_ssl_active", "Connections with TLS that are open.")),
        .init(.counter("downstream_cx_http1_total", "Connections that speak HTTP/1.")),
        .init(.gauge("downstream_cx_http1_active", "Connections that speak HTTP/1 and are open.")),
        .init(.counter("downstream_cx_http2_total", "Connections that speak HTTP/2.")),
        .init(.gauge("downstream_cx_http2_active", "Connections that speak HTTP/2 and are open.")),
        .init(.counter("downstream_cx_upgrades_total", "Requests that became tunnels: upgrades, and CONNECT.")),
        .init(.gauge("downstream_cx_upgrades_active", "Tunnels that are open.")),
        .init(.counter("downstream_cx_destroy", "Connections that have ended.")),
        .init(.counter("downstream_cx_destroy_local", "Connections that Sluice has closed.")),
        .init(.counter("downstream_cx_destroy_remote", "Connections that the client has closed.")),
        .init(.counter("downstream_cx_destroy_active_rq", "Connections that ended while a request ran.")),
        .init(
            .counter("downstream_cx_destroy_local_active_rq", "Connections that Sluice has closed while a request ran.")
        ),
        .init(
            .counter(
                "downstream_cx_destroy_remote_active_rq", "Connections that the client has closed while a request ran.")
        ),
        .init(.counter("downstream_cx_protocol_error", "Connections whose client broke the protocol.")),
        .init(StatDescription("downstream_cx_rx_bytes_total", .counter, .bytes, "Bytes received from clients.")),
        .init(StatDescription("downstream_cx_tx_bytes_total", .counter, .bytes, "Bytes sent to clients.")),
        .init(
            .counter("downstream_cx_drain_close", "Connections that were asked to end because of a drain or a reload.")),
        .init(
            .counter(
                "downstream_flow_control_paused_reading_total",
                "Times that an upstream was not read because its client was slow.")),
        .init(.counter("downstream_flow_control_resumed_reading_total", "Times that reading went on after that.")),
        .init(.counter("downstream_rq_total", "Requests that have come.")),
        .init(.counter("downstream_rq_http1_total", "Requests over HTTP/1.")),
        .init(.counter("downstream_rq_http2_total", "Requests over HTTP/2.")),
        .init(
            .gauge("downstream_rq_active", "Requests that run."), prometheus: "=http_server_active_requests",
            isAlwaysShown: true),
        .init(.counter("downstream_rq_completed", "Requests that got a status.")),
    ]

    private static let others: [StatSchema.Entry] = [
        .init(
            .counter(
                "downstream_rq_no_response", "Requests that got no status: the client was gone, or the process ended.")),
        .init(.counter("downstream_rq_rx_reset", "Requests that the client gave up.")),
        .init(.counter("downstream_rq_tx_reset", "Requests whose answer was cut off by Sluice.")),
        .init(.counter("downstream_rq_too_large", "Requests refused with 413 because their body was over a limit.")),
        .init(.counter("downstream_rq_timeout", "Requests that took the client too long to send.")),
        .init(.counter("downstream_rq_idle_timeout", "Requests ended because nothing moved for too long.")),
        .init(.counter("downstream_rq_response_before_rq_complete", "Requests answered before all of them had come.")),
        .init(.counter("rq_direct_response", "Requests that Sluice has answered by itself.")),
        .init(.counter("no_route", "Requests that no route takes.")),
        .init(.counter("no_cluster", "Requests whose cluster does not exist.")),
        .init(.histogram("downstream_cx_length_ms", .time, "How long connections were open."), range: .connections),
        .init(.histogram("downstream_rq_time", .time, "From the first byte of a request to the last of its answer.")),
    ]

    static let schema = StatSchema(entries)

    /// The counter of a status; `rqNone` where there was none.
    static func ofStatus(_ status: Int) -> HTTPStat {
        switch status / 100 {
        case 1: .rq1xx
        case 2: .rq2xx
        case 3: .rq3xx
        case 4: .rq4xx
        case 5: .rq5xx
        default: .rqNone
        }
    }
}
