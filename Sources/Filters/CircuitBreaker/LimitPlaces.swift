internal import FilterAPI

/// Where limits are set, for the log.
struct LimitPlaces {
    var maxRequests = ""
    var queueMax = ""
    var queueTimeout = ""
    var errors = ""

    /// In the settings of a filter.
    init(_ worker: borrowing WorkerContext) {
        maxRequests = worker.place(of: "max_requests")
        queueMax = worker.place(of: "queue.max")
        queueTimeout = worker.place(of: "queue.timeout")
        errors = worker.place(of: "errors")
    }

    /// What a route sets stands at the route.
    func changed(by own: CircuitBreaker.RouteSettings, of route: String) -> LimitPlaces {
        var places = self
        if own.maxRequests != nil { places.maxRequests = route }
        if own.queue != nil {
            places.queueMax = route
            places.queueTimeout = route
        }
        if own.errors != nil { places.errors = route }
        return places
    }
}
