import FilterAPI
import Testing

@testable import Host

@Suite("Byte filters in chains") struct ByteFilterTests {
    private let key = "bytes-\(UInt64.random(in: 0...(.max)))"

    private func bench(_ front: String, upstream: String = "[ cipher, http, origin ]", cluster: String = "[ cipher ]")
        throws -> HostBench
    {
        try HostBench(
            """
            listeners:
              front: { bind: 127.0.0.1:0, chain: \(front) }
              up: { bind: "unix:@sluice-\(key)", chain: \(upstream) }
            clusters:
              up: { endpoints: [ "unix:@sluice-\(key)" ], chain: \(cluster) }
            """, [Cipher.self, Stopper.self, Origin.self])
    }

    private func request(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" }

    @Test("Requests and answers pass by the filters of both chains")
    func http() throws {
        let bench = try bench("[ http, router: { to: up } ]")
        #expect(try bench.exchange("front", request("/")).hasSuffix("\r\n\r\nok"))
    }

    @Test("Bytes that a client sends before the upstream is connected pass by the filters too, in front of the end")
    func early() throws {
        let bench = try bench("[ tcp_proxy: up ]")
        // More than is kept without an attempt to pass it on.
        let body = String(repeating: "b", count: 200_000)
        for _ in 0..<10 {
            let client = try bench.client(of: "front")
            client.send(
                "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n" + body)
            client.endSending()
            #expect(client.readToEnd().hasSuffix("\r\n\r\n" + body))
        }
        // The cluster's filter sees each end, and nothing behind it. The other listener may not read so far.
        #expect(bench.count("cipher.ends") >= 10)
        #expect(bench.count("cipher.after_last") == 0)
    }

    @Test(
        "While a filter holds bytes to the client, their source stands still",
        arguments: ["[ stopper: { key: KEY }, http, router: { to: up } ]", "[ stopper: { key: KEY }, tcp_proxy: up ]"])
    func held(front: String) throws {
        let bench = try bench(
            front.replacing("KEY", with: key),
            upstream: "[ http, origin ]", cluster: "[]")
        let client = try bench.client(of: "front")
        client.send(request("/large"))
        #expect(bench.turn { bench.count("stopper.held") == 1 })
        var turns = 0
        bench.turn {
            turns += 1
            return turns > 300
        }
        // The origin's answer lies in one page of its own; what the front may hold besides are a few of its pages.
        #expect(bench.worker.pages.pagesInUse < 40)
        Gate.Tokens.of(key).takeFirst()?.resume()
        let answer = client.readToEnd()
        #expect(answer.utf8.count > Origin.largeSize)
    }
}
