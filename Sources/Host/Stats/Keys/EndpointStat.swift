internal import FilterAPI

/// What workers count of an endpoint, by the names that the page `/clusters` has.
enum EndpointStat: Int, StatKey {
    case cxTotal, cxActive, cxConnectFail, rqTotal, rqActive, rqSuccess, rqError, rqTimeout

    static let entries: [StatSchema.Entry] = [
        .init(.counter("cx_total", "Connections that were begun.")),
        .init(.gauge("cx_active", "Connections that are open, or are being made.")),
        .init(.counter("cx_connect_fail", "Connections that could not be made.")),
        .init(.counter("rq_total", "Requests given to a connection.")),
        .init(.gauge("rq_active", "Requests that are at the endpoint.")),
        .init(.counter("rq_success", "Requests answered with less than 500.")),
        .init(.counter("rq_error", "Requests answered with 500 or more, or not answered.")),
        .init(.counter("rq_timeout", "Requests that had no answer when their time was over.")),
    ]

    static let schema = StatSchema(entries)
}
