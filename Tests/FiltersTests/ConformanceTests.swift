import FilterAPI
import FilterTesting
import Testing

@testable import Filters

/// Every filter that comes with Sluice keeps the rules that filters of others must keep.
@Suite("Every filter of our own keeps the rules of filters")
struct ConformanceTests {
    /// A filter, with the settings that it needs.
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let findings: @Sendable () throws -> [Finding]

        init(_ name: String, _ findings: @escaping @Sendable () throws -> [Finding]) {
            testDescription = name
            self.findings = findings
        }
    }

    private static let html = [RecordedField(name: "content-type", value: "text/html")]

    static let http: [Case] = [
        Case("count") { Conformance.findings(Count.self) },
        Case("stats") { Conformance.findings(Stats.self) },
        Case("stats by route") {
            Conformance.findings(Stats.self, .init(config: "{ labels: [method, status, route, error] }"))
        },
        Case("headers") {
            Conformance.findings(
                HeadersFilter.self,
                .init(config: "{ request: { set: { x-a: '%PROTOCOL%' } }, response: { remove: [ content-type ] } }"))
        },
        Case("trace") { Conformance.findings(Trace.self) },
        Case("fault") { Conformance.findings(FaultInjection.self) },
        Case("fault that delays") {
            Conformance.findings(FaultInjection.self, .init(config: "{ delay: { fixed: 2s } }"))
        },
        Case("fault that answers") {
            Conformance.findings(FaultInjection.self, .init(config: "{ abort: { status: 503 } }"))
        },
        Case("rate_limit") {
            Conformance.findings(RateLimit.self, .init(config: "{ requests: 1000000, per: 1s, headers: always }"))
        },
        Case("circuit_breaker") { Conformance.findings(CircuitBreaker.self, .init(config: "{ max_requests: 1 }")) },
        Case("circuit_breaker for a listener") {
            Conformance.findings(CircuitBreaker.self, .init(config: "{ scope: listener, max_requests: 1 }"))
        },
        Case("circuit_breaker that errors open") {
            Conformance.findings(CircuitBreaker.self, .init(config: "{ errors: { min_requests: 100000 } }"))
        },
        Case("circuit_breaker with a queue") {
            Conformance.findings(CircuitBreaker.self, .init(config: "{ max_requests: 1, on_open: queue }"))
        },
        Case("retry") { Conformance.findings(Retry.self) },
        Case("retry of answers") {
            Conformance.findings(Retry.self, .init(config: "{ on: [5xx, connect-failure, reset], attempts: 3 }"))
        },
        Case("gzip, and nobody wants it") { Conformance.findings(Gzip.self) },
        Case("gzip") {
            Conformance.findings(
                Gzip.self,
                .init(config: "{ min_length: 1B }") { options in
                    options.requestFields = [RecordedField(name: "accept-encoding", value: "gzip")]
                    options.responseFields = html
                    options.changes = .responseBody
                    options.readResponse = { bytes in
                        bytes.starts(with: [0x1F, 0x8B]) ? Zlib.decompress(bytes)?.bytes : bytes
                    }
                })
        },
        Case("grpc_web, and nobody wants it") { Conformance.findings(GRPCWeb.self) },
        Case("grpc_web") {
            Conformance.findings(
                GRPCWeb.self,
                .init { options in
                    options.requestFields = [RecordedField(name: "content-type", value: "application/grpc-web+proto")]
                    options.responseFields = [RecordedField(name: "content-type", value: "application/grpc+proto")]
                    options.changes = .responseBody
                    options.readResponse = GRPCWebBody.messages
                })
        },
        Case("grpc_web as text") {
            Conformance.findings(
                GRPCWeb.self,
                .init { options in
                    options.requestFields = [
                        RecordedField(name: "content-type", value: "application/grpc-web+proto"),
                        RecordedField(name: "accept", value: "application/grpc-web-text"),
                    ]
                    options.responseFields = [RecordedField(name: "content-type", value: "application/grpc+proto")]
                    // Which of the bodies are text is not seen from their bytes: GRPCWebTests reads them.
                    options.changes = .responseBody
                })
        },
        Case("router") { Conformance.findings(Router.self, .init(config: "{ to: app }")) },
        Case("router that answers") {
            Conformance.findings(
                Router.self, .init(config: "{ routes: [ { respond: { status: 404, body: no } } ] }"))
        },
        Case("router without a route") {
            Conformance.findings(Router.self, .init(config: "{ routes: [ { match: { path: /other }, to: app } ] }"))
        },
    ]

    static let bytes: [Case] = [
        Case("tcp_proxy") { Conformance.findings(TCPProxy.self, .init(config: "{ to: app }")) },
        Case("tls towards clients") {
            let lab = TLSLab()
            _ = try lab.makeServer()
            let (certificate, key) = ("\(lab.folder.path)/server.crt", "\(lab.folder.path)/server.key")
            return Conformance.findings(
                TLS.self,
                .init(config: "{ certificate: \(certificate), key: \(key) }") {
                    $0.changes = [.requestBody, .responseBody]
                })
        },
        Case("tls towards upstreams") {
            let lab = TLSLab()
            let ca = lab.folder.write("ca.pem", TestPair.authorityPEM)
            return Conformance.findings(
                TLS.self,
                .init(config: "{ ca: \(ca) }") { options in
                    options.sides = [.upstream]
                    options.changes = [.requestBody, .responseBody]
                })
        },
    ]

    static let codecs: [Case] = [
        Case("http towards clients") { Conformance.findings(codec: HTTP1ServerCodec.self) },
        Case("http towards upstreams") { Conformance.findings(codec: HTTP1ClientCodec.self) },
    ]

    @Test("whatever its neighbours do", arguments: http + bytes + codecs)
    func conforms(filter: Case) throws {
        let findings = try filter.findings()
        #expect(findings == [], "\(findings.map(\.description).joined(separator: "\n"))")
    }
}
