internal import Engine
internal import FilterAPI

/// What an endpoint is asked by gRPC: whether a service of its serves (gRPC Health Checking Protocol).
struct GRPCQuestion: RequestQuestion {
    let reuses: Bool
    let message: [UInt8]
    private let settings: GRPCCheckSettings
    private let cluster: String

    init(_ settings: GRPCCheckSettings, cluster: String, reuses: Bool) {
        self.settings = settings
        self.cluster = cluster
        self.reuses = reuses
        message = HealthMessage.request(for: settings.service)
    }

    func fill(_ head: inout RequestHead, for endpoint: Endpoint) {
        head.setMethod("POST")
        head.setTarget("/grpc.health.v1.Health/Check")
        head.setAuthority(settings.authority ?? endpoint.authority(otherwise: cluster))
        head.headers.add(.te, "trailers")
        head.headers.add(.contentType, "application/grpc")
        // No `grpc-timeout`: who is late has not answered, and has not said that it does not serve either.
        head.headers.add(.userAgent, "sluice-health-check")
    }

    func makeJudge() -> any AnswerJudge { GRPCJudge() }
}
