internal import Engine
internal import FilterAPI

/// What an endpoint is asked over HTTP.
struct HTTPQuestion: Sendable {
    let settings: HTTPCheckSettings
    let headers: [(name: HeaderName, value: String)]
    let expected: StatusSet
    let retriable: StatusSet
    /// Empty where the body does not matter.
    let body: [UInt8]
    /// Whether the connection is kept for the next time.
    let reuses: Bool
    private let cluster: String

    init(_ settings: HTTPCheckSettings, cluster: String, reuses: Bool) {
        self.settings = settings
        self.cluster = cluster
        self.reuses = reuses
        expected = StatusSet(settings.expectedStatuses)
        retriable = StatusSet(settings.retriableStatuses)
        body = settings.body?.bytes ?? []
        var headers: [(name: HeaderName, value: String)] = []
        for (text, value) in settings.headers.sorted(by: { $0.key < $1.key }) {
            if let name = HeaderName(text) { headers.append((name, value)) }
        }
        if !headers.contains(where: { $0.name == .userAgent }) { headers.append((.userAgent, "sluice-health-check")) }
        self.headers = headers
    }

    /// The `Host` for an endpoint: host and port as the config knows them, without the ports that need not be said
    /// (RFC 9110 section 4.2.3).
    func host(of endpoint: Endpoint) -> String {
        if let host = settings.host { return host }
        guard !endpoint.host.isEmpty, let port = endpoint.address.port else { return cluster }
        let host = endpoint.host.contains(":") ? "[\(endpoint.host)]" : endpoint.host
        return port == 80 || port == 443 ? host : "\(host):\(port)"
    }
}
