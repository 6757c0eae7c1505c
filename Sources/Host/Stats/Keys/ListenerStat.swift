internal import FilterAPI

/// What is counted of a listener's connections, whatever they carry.
enum ListenerStat: Int, StatKey {
    case cxTotal, cxDestroy, cxActive, cxOverflow, globalCxOverflow, acceptFailed, noFilterChainMatch, preCxTimeout
    case preCxActive, socketsAccepting, rawReceived, rawSent

    static let entries: [StatSchema.Entry] = [
        .init(.counter("downstream_cx_total", "Connections that were accepted.")),
        .init(.counter("downstream_cx_destroy", "Connections that have ended.")),
        .init(.gauge("downstream_cx_active", "Connections that are open."), isAlwaysShown: true),
        .init(
            .counter(
                "downstream_cx_overflow",
                "Connections closed at once because the listener's max_connections was reached.")),
        .init(
            .counter(
                "downstream_global_cx_overflow",
                "Connections closed at once because the process's max_connections was reached.")),
        .init(
            .counter(
                "downstream_cx_accept_failed",
                "Connections that could not be accepted, for want of descriptors or memory or because the client was gone."
            )),
        .init(.counter("no_filter_chain_match", "Connections closed because no chain of the listener is for them.")),
        .init(
            .counter(
                "downstream_pre_cx_timeout",
                "Connections closed because match_timeout passed before it was known which chain they get.")),
        .init(.gauge("downstream_pre_cx_active", "Connections of which it is not known yet which chain they get.")),
        .init(
            .gauge("sockets_accepting", "Sockets at which connections are accepted now, over all workers."),
            isAlwaysShown: true),
        .init(
            StatDescription(
                "downstream_cx_rx_bytes_total", .counter, .bytes, "Bytes received from clients whose chain has no HTTP."
            )),
        .init(
            StatDescription(
                "downstream_cx_tx_bytes_total", .counter, .bytes, "Bytes sent to clients whose chain has no HTTP.")),
        .init(.histogram("downstream_cx_length_ms", .time, "How long connections were open."), range: .connections),
    ]

    static let schema = StatSchema(entries)
}
