internal import FilterAPI

/// The limits of a cluster, each with what is told where it is reached.
struct ClusterLimits: Sendable {
    /// One limit.
    struct Limit: Sendable {
        let value: Int
        let reached: ReachedLimit
    }

    let connections: Limit
    let pending: Limit
    let requests: Limit
    /// No limit unless it is set.
    let retries: Limit?

    /// - Parameters:
    ///   - cluster: its name.
    ///   - spot: where it stands in the file; nil for clusters of commands that need no file.
    ///   - file: the file's name.
    init(_ settings: ClusterSettings, cluster: String, spot: ConfigSpot?, file: String) {
        func limit(_ key: String, _ value: Int) -> Limit {
            let place = spot?.text(of: key, file: file) ?? ""
            return Limit(
                value: value,
                reached: ReachedLimit(text: "\(key) (\(value)) of cluster \(cluster) is reached", place: place))
        }
        connections = limit("max_connections", settings.maxConnections)
        pending = limit("max_pending", settings.maxPending)
        requests = limit("max_requests", settings.maxRequests)
        retries = settings.maxRetries.map { limit("max_retries", $0) }
    }
}
