internal import Engine
internal import FilterAPI

/// One of a cluster's health checks, made ready: what is asked, and the rules for the answers.
struct HealthCheck: Sendable {
    enum Question: Sendable {
        case request(any RequestQuestion)
        case tcp(TCPQuestion)
    }

    let settings: HealthCheckSettings
    let rules: HealthRules
    let question: Question
    let timeout: Nanoseconds
    /// For logs.
    let name: String

    /// From settings that have passed their check.
    ///
    /// - Parameter cluster: the name that is asked for at a Unix socket, unless the settings have another.
    init(_ settings: HealthCheckSettings, cluster: String) {
        self.settings = settings
        rules = HealthRules(settings)
        timeout = settings.timeout.wholeNanoseconds
        let port = settings.port.map { ":\($0)" } ?? ""
        if let http = settings.http {
            question = .request(HTTPQuestion(http, cluster: cluster, reuses: settings.reuseConnection))
            name = "http\(port) \(http.path)"
        } else if let grpc = settings.grpc {
            question = .request(GRPCQuestion(grpc, cluster: cluster, reuses: settings.reuseConnection))
            name = grpc.service.isEmpty ? "grpc\(port)" : "grpc\(port) \(grpc.service)"
        } else {
            question = .tcp(TCPQuestion(settings.tcp ?? TCPCheckSettings()))
            name = "tcp\(port)"
        }
    }

    /// Where an endpoint is asked.
    func address(of endpoint: SocketAddress) -> SocketAddress {
        settings.port.map { endpoint.with(port: UInt16(clamping: $0)) } ?? endpoint
    }
}
