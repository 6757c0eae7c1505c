internal import FilterAPI
internal import Glibc
internal import Synchronization

/// What `sluice demo` serves: a chain in front of four upstreams that live in the same process, one of them behind TLS.
enum DemoConfig {
    static let types: [any Filter.Type] = [DemoUpstream.self]

    /// Abstract Unix sockets need no folder, no right and no port.
    static func text(_ certificates: DemoCertificates) -> String {
        let id = getpid()
        let folder = certificates.folder
        return """
            access_log: stdout
            admin: "127.0.0.1:\(port(9901))"
            listeners:
              demo:
                bind: "127.0.0.1:\(port(8080))"
                filter_times: true
                chain:
                  - http: { via: sluice }
                  - stats
                  - retry: { on: [ 5xx ], attempt_count: response }
                  - router:
                      routes:
                        - { name: slow, match: { prefix: /slow }, to: slow, timeout: 2s }
                        - { name: flaky, match: { prefix: /flaky }, to: flaky }
                        - { name: sealed, match: { prefix: /sealed }, to: sealed }
                        - { name: away, match: { path: /away }, redirect: { status: 302, path: / } }
                        - { name: hello, match: { path: /hello }, respond: { status: 200, body: "hello from the router\\n" } }
                        - { name: all, to: fast, response_headers: { set: { x-endpoint: "%UPSTREAM_HOST%" } } }
              secure:
                bind: "127.0.0.1:\(port(8443))"
                filter_times: true
                chain:
                  - tls: { certificate: "\(folder)/server.crt", key: "\(folder)/server.key" }
                  - http: { via: sluice }
                  - stats
                  - router: { to: sealed, response_headers: { set: { x-tls: "%DOWNSTREAM_TLS_VERSION% %DOWNSTREAM_TLS_CIPHER%" } } }
              upstream_fast:
                bind: "unix:@sluice-demo-\(id)-fast"
                access_log: off
                chain: [ http: { server_header: "" }, demo_upstream: { name: fast } ]
              upstream_slow:
                bind: "unix:@sluice-demo-\(id)-slow"
                access_log: off
                chain: [ http: { server_header: "" }, demo_upstream: { name: slow, delay: 1s } ]
              upstream_flaky:
                bind: "unix:@sluice-demo-\(id)-flaky"
                access_log: off
                chain: [ http: { server_header: "" }, demo_upstream: { name: flaky, fail_every: 3 } ]
              upstream_sealed:
                bind: "unix:@sluice-demo-\(id)-sealed"
                access_log: off
                chain:
                  - tls: { certificate: "\(folder)/server.crt", key: "\(folder)/server.key", ca: "\(folder)/ca.pem" }
                  - http: { server_header: "" }
                  - demo_upstream: { name: sealed }
            clusters:
              fast: { endpoints: [ "unix:@sluice-demo-\(id)-fast" ] }
              slow: { endpoints: [ "unix:@sluice-demo-\(id)-slow" ] }
              flaky: { endpoints: [ "unix:@sluice-demo-\(id)-flaky" ] }
              sealed:
                endpoints: [ "unix:@sluice-demo-\(id)-sealed" ]
                chain:
                  - tls:
                      ca: "\(folder)/ca.pem"
                      server_name: localhost
                      accepted_names: { uri: [ "spiffe://sluice.demo/upstream" ] }
                      certificate: "\(folder)/client.crt"
                      key: "\(folder)/client.key"
            """
    }

    /// The port if nobody has it, else any.
    private static func port(_ wanted: UInt16) -> UInt16 { FreePort.isFree(wanted) ? wanted : 0 }

    static func welcome(_ bound: [(listener: String, address: String)], _ certificates: DemoCertificates) -> String {
        let address = bound.first { $0.listener == "demo" }?.address ?? "127.0.0.1:8080"
        let secure = bound.first { $0.listener == "secure" }?.address ?? "127.0.0.1:8443"
        let admin = bound.first { $0.listener == ListenerPlan.adminName }?.address ?? "127.0.0.1:9901"
        return """

            Sluice is listening on http://\(address) and https://\(secure). Try, in another terminal:

              curl -i http://\(address)/            a proxied answer
              curl -i http://\(address)/slow        an upstream that takes a second
              curl -i http://\(address)/flaky       an upstream that fails every third time, and is asked again: x-envoy-attempt-count
              curl -i http://\(address)/sealed      an upstream behind TLS, which asks for a certificate and gets one
              curl -i http://\(address)/hello       an answer by the router itself
              curl -iL http://\(address)/away       a redirect

            and over TLS, with certificates that go with the demo:

              curl -i --cacert \(certificates.folder)/ca.pem https://\(secure)/

            What it does, in a browser or here, and what Prometheus would read:

              http://\(admin)/
              curl http://\(admin)/
              curl http://\(admin)/stats/prometheus

            Each request is a line here. Ctrl-C ends the demo.


            """
    }
}

/// Answers like a small service: at once, late, or every n-th time with an error.
final class DemoUpstream: HTTPTerminal {
    struct Settings: FilterSettings {
        var name = "demo"
        var delay = Duration.zero
        var failEvery = 0
    }

    struct State {
        var isEnded = false
    }

    static let manifest = Manifest(id: "demo_upstream", summary: "Answers like a small service, for `sluice demo`.")

    /// All workers count together, so that every n-th request is every n-th for whoever sends them.
    private final class Requests: Sendable {
        private let count = Atomic(0)

        func next() -> Int { count.add(1, ordering: .relaxed).newValue }
    }

    private let settings: Settings
    private let requests: Requests

    init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        self.settings = settings
        requests = worker.shared("demo.\(settings.name)") { Requests() }
    }

    func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> State? { State() }

    func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        if last { finish(&stream) }
        return .next
    }

    func requestBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        if last { finish(&stream) }
        return .next
    }

    func wake(_ state: inout State, _ stream: inout FilterAPI.Stream) throws(Fault) { answer(&stream) }

    private func finish(_ stream: inout FilterAPI.Stream) {
        guard settings.delay > .zero else { return answer(&stream) }
        stream.wake(after: settings.delay)
    }

    private func answer(_ stream: inout FilterAPI.Stream) {
        let number = requests.next()
        if settings.failEvery > 0, number % settings.failEvery == 0 {
            return stream.reply(500, body: "\(settings.name): request \(number) failed on purpose\n")
        }
        let peer =
            stream.connection.tls.map { " over \($0.version.name), from \($0.peer?.uris.first ?? "nobody known")" }
            ?? ""
        stream.reply(200, body: "\(settings.name): request \(number)\(peer)\n")
    }
}
