import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("What a request tells the next server about the client")
struct ForwardedTests {
    private func fields(
        _ lines: [String], isTLS: Bool = false, _ edit: (inout ServerSettings) -> Void = { _ in }
    ) -> [RecordedField] {
        let connection = FakeConnection()
        connection.comesFrom("192.0.2.7", isTLS: isTLS)
        let codec = makeServer { settings in
            settings.forwardedFor = .append
            edit(&settings)
        }
        let bench = ServerBench(codec, on: connection)
        bench.receive("GET / HTTP/1.1\r\nHost: a\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n")
        return bench.requests.first?.fields.filter { $0.name != "Host" } ?? []
    }

    private func text(_ fields: [RecordedField]) -> String {
        fields.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
    }

    @Test("Address, scheme and host are said by default, and what the client said of them is not believed")
    func untrusted() {
        let expected = "X-Forwarded-For: 192.0.2.7\nX-Forwarded-Proto: http\nX-Forwarded-Host: a"
        #expect(text(fields([])) == expected)
        #expect(
            text(fields(["X-Forwarded-Proto: https", "x-forwarded-host: evil"], isTLS: true))
                == "X-Forwarded-Proto: https\nx-forwarded-host: a\nX-Forwarded-For: 192.0.2.7")
    }

    @Test("The address is put behind those that are there, in one field")
    func appended() {
        #expect(text(fields(["X-Forwarded-For: 6.6.6.6"])).hasPrefix("X-Forwarded-For: 6.6.6.6, 192.0.2.7\n"))
        #expect(
            text(fields(["x-forwarded-for: 1.1.1.1", "A: b", "X-Forwarded-For:", "X-FORWARDED-FOR: 2.2.2.2, 3.3.3.3"]))
                .hasPrefix("x-forwarded-for: 1.1.1.1, 2.2.2.2, 3.3.3.3, 192.0.2.7\nA: b\nX-Forwarded-Proto"))
    }

    @Test("A trusted proxy is believed")
    func trusted() {
        let lines = ["X-Forwarded-For: 1.1.1.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: b", "X-Request-Id: 7"]
        #expect(
            text(
                fields(lines) { settings in
                    settings.trustedHops = 1
                    settings.requestID = true
                })
                == "X-Forwarded-For: 1.1.1.1, 192.0.2.7\nX-Forwarded-Proto: https\nX-Forwarded-Host: b\nX-Request-Id: 7"
        )
    }

    @Test("They can be left alone, or taken out")
    func policies() {
        let lines = ["X-Forwarded-For: 1.1.1.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: b", "A: b"]
        #expect(text(fields(lines) { $0.forwardedFor = .keep }) == lines.joined(separator: "\n"))
        #expect(text(fields(lines) { $0.forwardedFor = .off }) == "A: b")
    }

    @Test("Connection cannot take out what is said here")
    func connectionCannotRemove() {
        let seen = fields(["X-Forwarded-For: 6.6.6.6", "Connection: X-Forwarded-For, X-Forwarded-Proto"])
        #expect(text(seen) == "X-Forwarded-For: 192.0.2.7\nX-Forwarded-Proto: http\nX-Forwarded-Host: a")
    }

    @Test("Fields by which proxies talk among themselves are dropped, unless a trusted one sent them")
    func internalFields() {
        let lines = [
            "x-envoy-retry-on: 5xx", "X-Envoy-Original-Path: /admin", "x-envoy-unheard-of: 1", "X-SLUICE-Trace: 1",
            "X-Envoys: 1", "X-Sluic: 1", "x-envo-y: 1",
        ]
        let untrusted = fields(lines) { $0.forwardedFor = .keep }
        #expect(text(untrusted) == "X-Envoys: 1\nX-Sluic: 1\nx-envo-y: 1")
        let trusted = fields(lines) { settings in
            settings.forwardedFor = .keep
            settings.trustedHops = 1
        }
        #expect(trusted.count == lines.count)
    }

    @Test("Each request gets an identifier of its own, in the form of a random UUID")
    func requestIDs() {
        var seen: Set<String> = []
        for _ in 0..<100 {
            let ids = fields(["x-request-id: mine"]) { settings in
                settings.forwardedFor = .off
                settings.requestID = true
            }
            let id = ids.first?.value ?? ""
            #expect(ids.count == 1)
            #expect(id.count == 36)
            let parts = id.split(separator: "-").map(String.init)
            #expect(parts.map(\.count) == [8, 4, 4, 4, 12])
            #expect(parts.joined().allSatisfy { $0.isHexDigit && !$0.isUppercase })
            #expect(parts.count == 5 && parts[2].hasPrefix("4") && "89ab".contains(parts[3].prefix(1)))
            seen.insert(id)
        }
        #expect(seen.count == 100)
    }

    @Test("Via names the version that the client spoke, and this proxy")
    func via() {
        func edit(_ settings: inout ServerSettings) {
            settings.forwardedFor = .off
            settings.via = "edge-1"
        }
        #expect(text(fields([], edit)) == "Via: 1.1 edge-1")
        #expect(text(fields(["Via: 1.0 b", "via: 2 c"], edit)) == "Via: 1.0 b, 2 c, 1.1 edge-1")
        #expect(reading("GET / HTTP/1.0\r\n\r\n", edit) == "request GET / HTTP/1.0\n  Via: 1.0 edge-1\nend")
    }

    @Test("The scheme is that of the connection, or what a trusted proxy says")
    func scheme() {
        func scheme(_ line: String, isTLS: Bool, hops: Int) -> Scheme? {
            let connection = FakeConnection()
            connection.comesFrom("192.0.2.7", isTLS: isTLS)
            let codec = makeServer { settings in
                settings.forwardedFor = .append
                settings.trustedHops = hops
            }
            let bench = ServerBench(codec, on: connection)
            var seen: Scheme?
            bench.answer = { bench, stream in seen = unsafe bench.connection.requestHead(stream).pointee.scheme }
            bench.receive("GET / HTTP/1.1\r\nHost: a\r\n\(line)\r\n")
            return seen
        }
        #expect(scheme("", isTLS: false, hops: 0) == .http)
        #expect(scheme("", isTLS: true, hops: 0) == .https)
        #expect(scheme("X-Forwarded-Proto: https\r\n", isTLS: false, hops: 0) == .http)
        #expect(scheme("X-Forwarded-Proto: https\r\n", isTLS: false, hops: 1) == .https)
        #expect(scheme("X-Forwarded-Proto: http\r\n", isTLS: true, hops: 1) == .http)
        #expect(scheme("", isTLS: true, hops: 1) == .https)
    }

    @Test(
        "The client is whom the outermost trusted proxy saw",
        arguments: [
            (0, ["1.1.1.1"], ""), (1, [], ""), (1, ["1.1.1.1"], "1.1.1.1"), (1, ["1.1.1.1, 2.2.2.2"], "2.2.2.2"),
            (2, ["1.1.1.1,\t2.2.2.2"], "1.1.1.1"), (2, ["6.6.6.6, 1.1.1.1 , 2.2.2.2"], "1.1.1.1"),
            (2, ["6.6.6.6", "1.1.1.1", "2.2.2.2"], "1.1.1.1"), (3, ["1.1.1.1, 2.2.2.2"], ""),
            (2, ["6.6.6.6, 1.1.1.1", "2.2.2.2"], "1.1.1.1"), (1, ["2001:db8::1"], "2001:db8::1"),
            (1, ["::ffff:10.0.0.1"], "::ffff:10.0.0.1"), (1, ["unknown"], ""), (1, ["1.1.1.1, "], ""), (1, [""], ""),
            (1, ["1.1.1.1:80"], ""), (1, ["_hidden"], ""), (1, ["1.1.1"], ""), (1, [",,"], ""), (2, [","], ""),
        ])
    func client(hops: Int, lines: [String], expected: String) {
        for policy in HTTP1ServerCodec.ForwardedPolicy.allCases {
            let connection = FakeConnection()
            connection.comesFrom("192.0.2.7", isTLS: false)
            let codec = makeServer { settings in
                settings.forwardedFor = policy
                settings.trustedHops = hops
            }
            let bench = ServerBench(codec, on: connection)
            var seen: String?
            bench.answer = { bench, stream in
                seen = unsafe ASCII.string(bench.connection.requestHead(stream).pointee.clientAddress)
            }
            let fields = lines.map { "X-Forwarded-For: \($0)\r\n" }.joined()
            bench.receive("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
            #expect(seen == expected, "\(policy)")
        }
    }
}
