internal import FilterAPI

extension ConnectionFacts {
    /// Says where a connection of a cluster goes, for its byte filters.
    func fill(_ endpoint: Endpoint, of pool: ClusterPool) {
        remoteAddress = endpoint.name.text
        endpointHost = endpoint.host
        listener = pool.name.text
        id = pool.worker.nextConnectionID()
        start = pool.worker.instant
    }
}
