import Config
import Engine
import FilterAPI
import Testing

@testable import Host

@Suite("Settings of health checks") struct HealthCheckSettingsTests {
    private func read(_ checks: String, endpoint: String = "127.0.0.1:80") -> (
        checks: [HealthCheckSettings], findings: [String]
    ) {
        let text = "endpoints: '\(endpoint)'\nhealth_checks:\n  \(checks)\n"
        let diagnostics = Diagnostics(file: "sluice.yaml")
        let document = Document.parse(Array(text.utf8), name: "sluice.yaml", into: diagnostics)
        let decoded = document.flatMap {
            SettingsDecoder().decode(ClusterSettings.self, from: $0.root, into: diagnostics)
        }
        return (decoded?.value.healthChecks ?? [], diagnostics.sorted.map(\.message))
    }

    @Test("one check needs no list, and a path is enough") func short() throws {
        let read = read("http: /healthz")
        #expect(read.findings == [])
        let check = try #require(read.checks.first)
        #expect(read.checks.count == 1 && check.http?.path == "/healthz" && check.http?.method == "GET")
        #expect(check.http?.expectedStatuses == ["200"] && check.http?.retriableStatuses == [])
        #expect(check.interval == .seconds(5) && check.timeout == .seconds(1))
        #expect(check.unhealthyThreshold == 3 && check.healthyThreshold == 2)
        #expect(check.intervalJitter == .zero && check.initialJitter == .zero)
        #expect(check.noTrafficInterval == nil && check.unhealthyInterval == nil && check.port == nil)
        #expect(check.unhealthyEdgeInterval == nil && check.healthyEdgeInterval == nil)
        #expect(check.reuseConnection && !check.alwaysLogFailures)
    }

    @Test("everything can be set") func long() throws {
        let read = read(
            """
            - http: { path: "/a?b=c", host: x.test, method: HEAD, expected_statuses: [ 200-299, 404 ],
                      retriable_statuses: 500-599, body: { text: up }, headers: { x-a: "1" } }
                interval: 1s
                interval_jitter: 100ms
                initial_jitter: 1s
                timeout: 500ms
                unhealthy_threshold: 1
                healthy_threshold: 1
                no_traffic_interval: 60s
                unhealthy_interval: 2s
                unhealthy_edge_interval: 100ms
                healthy_edge_interval: 200ms
                reuse_connection: false
                port: 9000
                always_log_failures: true
              - tcp: { send: { hex: "00 ff" }, receive: [ a, { hex: 6263 } ] }
            """)
        #expect(read.findings == [])
        let http = try #require(read.checks.first?.http)
        #expect(http.expectedStatuses == ["200-299", "404"] && http.retriableStatuses == ["500-599"])
        #expect(http.headers == ["x-a": "1"] && http.body?.bytes == Array("up".utf8))
        let tcp = try #require(read.checks.last?.tcp)
        #expect(tcp.send?.bytes == [0, 255] && tcp.receive.map(\.bytes) == [[0x61], [0x62, 0x63]])
    }

    @Test(
        "what cannot be meant is refused",
        arguments: [
            ("interval: 5s", "a health check needs `http`, `grpc` or `tcp`"),
            ("tcp:", "a health check needs `http`, `grpc` or `tcp`"),
            ("{ http: /, tcp: {} }", "a check is one of `http`, `grpc` and `tcp`"),
            ("{ http: /, grpc: {} }", "a check is one of `http`, `grpc` and `tcp`"),
            ("grpc: { authority: '' }", "`` cannot be a host"),
            ("http: {}", "a health check over HTTP needs a path"),
            ("http: healthz", "`healthz` cannot be the target of a request"),
            ("http: '/a b'", "`/a b` cannot be the target of a request"),
            ("http: { path: /, method: 'G T' }", "`G T` cannot be a method"),
            ("http: { path: /, method: CONNECT }", "a tunnel is no check"),
            ("http: { path: /, host: '' }", "`` cannot be a host"),
            ("http: { path: /, expected_statuses: [] }", "no answer could be good"),
            ("http: { path: /, expected_statuses: 2xx }", "`2xx` is no status"),
            ("http: { path: /, expected_statuses: 299-200 }", "`299-200` is no status"),
            ("http: { path: /, retriable_statuses: [ 101 ] }", "`101` is no status"),
            ("http: { path: /, headers: { 'a b': c } }", "`a b` cannot be the name of a header field"),
            ("http: { path: /, headers: { Host: c } }", "the host has a key of its own"),
            ("http: { path: /, headers: { Upgrade: c } }", "`upgrade` belongs to the connection"),
            ("http: { path: /, headers: { a: \"b\\nc\" } }", "the value has bytes that a header field cannot have"),
            ("http: { path: /, body: '' }", "there are no bytes"),
            ("tcp: { send: { hex: abc } }", "expected two digits for each byte, such as `50 49 4e 47`"),
            ("tcp: { send: { hex: zz } }", "expected two digits for each byte, such as `50 49 4e 47`"),
            ("tcp: { receive: [ { text: a, hex: '61' } ] }", "there is a `text` already"),
            ("{ tcp: {}, interval: 0 }", "must be between 10ms and 24h"),
            ("{ tcp: {}, healthy_edge_interval: 1ms }", "must be between 10ms and 24h"),
            ("{ tcp: {}, timeout: 0 }", "must be between 10ms and 10m"),
            ("{ tcp: {}, interval_jitter: 48h }", "must be between 0 and 24h"),
            ("{ tcp: {}, unhealthy_threshold: 0 }", "must be at least 1"),
            ("{ tcp: {}, healthy_threshold: 0 }", "must be at least 1"),
            ("{ tcp: {}, port: 65536 }", "must be between 1 and 65535"),
        ])
    func refused(checks: String, finding: String) {
        #expect(read(checks).findings == [finding])
    }

    @Test("a socket of the file system has no other port") func unix() {
        let read = read("{ tcp: {}, port: 80 }", endpoint: "unix:/run/app.sock")
        #expect(read.findings == ["`unix:/run/app.sock` has no ports"])
    }

    @Test(
        "statuses are numbers and ranges",
        arguments: [
            ("200", 200...200), ("200-299", 200...299), ("599", 599...599), ("199", nil), ("600", nil), ("200-", nil),
            ("-200", nil), ("", nil), ("+200", nil), ("200-300-400", nil), ("300-200", nil),
        ] as [(String, ClosedRange<Int>?)])
    func statuses(text: String, range: ClosedRange<Int>?) { #expect(StatusSet.range(text) == range) }

    @Test(
        "blocks are found in order however the bytes are cut",
        arguments: [
            (["ab"], "xxabxx", true), (["ab"], "axb", false), (["ab", "ab"], "abab", true),
            (["aba", "ba"], "ababa", true),
            (["ab", "ba"], "aba", false), (["b", "a"], "ab", false), (["aab"], "aaab", true), ([], "", true),
            (["a"], "", false), (["abc", "d", "e"], "abcde", true),
        ])
    func blocks(blocks: [String], text: String, isFound: Bool) {
        let bytes = Array(text.utf8)
        for size in 1...max(1, bytes.count) {
            var matcher = BlockMatcher(blocks.map { Array($0.utf8) })
            for start in stride(from: 0, to: bytes.count, by: size) {
                let piece = Array(bytes[start..<min(bytes.count, start + size)])
                // SAFETY: the array outlives the span.
                unsafe matcher.take(piece.span.bytes)
            }
            #expect(matcher.isDone == isFound, "in pieces of \(size)")
        }
    }

    @Test(
        "the host is the endpoint's as the config knows it, with its port unless that goes without saying",
        arguments: [
            ("10.0.0.1:8080", "10.0.0.1", "10.0.0.1:8080"), ("10.0.0.1:80", "app.test", "app.test"),
            ("10.0.0.1:443", "app.test", "app.test"), ("[::1]:81", "::1", "[::1]:81"),
            ("10.0.0.1:81", "app.test", "app.test:81"), ("unix:@a", "", "the-cluster"),
        ])
    func hosts(address: String, host: String, expected: String) throws {
        let endpoint = Endpoint(address: try SocketAddress.parse(address), name: FactName(address), host: host)
        var settings = HTTPCheckSettings()
        settings.path = "/"
        var head = RequestHead()
        HTTPQuestion(settings, cluster: "the-cluster", reuses: true).fill(&head, for: endpoint)
        #expect(ASCII.string(head.authority) == expected)
        settings.host = "own.test"
        head.reset()
        HTTPQuestion(settings, cluster: "the-cluster", reuses: true).fill(&head, for: endpoint)
        #expect(ASCII.string(head.authority) == "own.test")
    }
}
