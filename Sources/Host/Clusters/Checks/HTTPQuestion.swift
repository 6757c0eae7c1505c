internal import Engine
internal import FilterAPI

/// What an endpoint is asked over HTTP.
struct HTTPQuestion: RequestQuestion {
    let settings: HTTPCheckSettings
    let headers: [(name: HeaderName, value: String)]
    let expected: StatusSet
    let retriable: StatusSet
    /// Empty where the body does not matter.
    let body: [UInt8]
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

    func fill(_ head: inout RequestHead, for endpoint: Endpoint) {
        // All of these have been tried when the settings were checked; a host from the endpoints is always one.
        head.setMethod(settings.method)
        head.setTarget(settings.path)
        head.setAuthority(settings.host ?? endpoint.authority(otherwise: cluster))
        for (name, value) in headers { head.headers.add(name, value) }
    }

    var message: [UInt8] { [] }

    func makeJudge() -> any AnswerJudge { HTTPJudge(self) }
}
