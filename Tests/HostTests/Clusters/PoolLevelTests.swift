import Engine
import FilterAPI
import Testing

@testable import Host

@Suite("Levels and latencies in a pool") struct PoolLevelTests {
    /// The name of an abstract socket that no other bench has: those are the machine's.
    private static func socket() -> String { "unix:@sluice-levels-\(UInt64.random(in: 0...(.max)))" }

    private let served = [Self.socket(), Self.socket()]
    private let get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    /// A front with a cluster `up`, whose endpoints may be the two places that are served.
    private func bench(_ cluster: String, again: String = "") throws -> HostBench {
        try HostBench(
            """
            listeners:
              front: { bind: 127.0.0.1:0, chain: [ http, \(again) router: { to: up } ] }
              one: { bind: "\(served[0])", chain: [ http, origin ] }
              two: { bind: "\(served[1])", chain: [ http, origin ] }
            clusters:
              up: { \(cluster) }
            """, [Again.self, Origin.self])
    }

    private func pool(_ bench: HostBench) throws -> ClusterPool {
        try #require(bench.worker.pool(ClusterNames.process.id("up")))
    }

    private func endpoint(_ bench: HostBench, _ name: String) throws -> Endpoint {
        try #require(try pool(bench).endpoints.first { $0.name.text == name })
    }

    @Test(
        "while the first level is good, the next one gets nothing but what has failed there",
        arguments: [(0, "HTTP/1.1 503 "), (1, "HTTP/1.1 200 ")])
    func nextLevel(tries: Int, answer: String) throws {
        let bench = try bench(
            "endpoints: [ unix:@sluice-nobody, { address: \"\(served[0])\", priority: 1 } ]",
            again: "again: { tries: \(tries) },")
        for _ in 0..<5 { #expect(try bench.exchange("front", get).hasPrefix(answer)) }
    }

    @Test("when the first level goes bad, its requests go to the next one, and come back with it")
    func failover() throws {
        let bench = try bench("endpoints: [ \"\(served[0])\", { address: \"\(served[1])\", priority: 1 } ]")
        var settings = ClusterSettings()
        settings.endpoints = try [(served[0], 0), (served[1], 1)].map { text, priority in
            var endpoint = try #require(EndpointSettings(shorthand: text))
            endpoint.priority = priority
            return endpoint
        }
        let pool = try pool(bench)
        let resolver = try Resolver(loop: bench.worker.loop, servers: [])
        let set = EndpointSet("up", settings, resolver: resolver) { pool.update($0) }
        let first = try SocketAddress.parse(served[0])
        for (isBad, expected) in [(false, 0), (true, 1), (false, 0)] {
            set.change(first, at: 1) { $0.failedCheck = isBad }
            for _ in 0..<3 {
                let client = try bench.client(of: "front")
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(client.reads("ok"))
                let busy = pool.endpoints.filter { !$0.idle.isEmpty }.map(\.name.text)
                #expect(busy.last == served[expected], "\(busy)")
                for endpoint in pool.endpoints { pool.dropUnused(of: endpoint) }
            }
        }
    }

    @Test("latencies are noted where the cluster balances by them, and nowhere else", arguments: [true, false])
    func latencies(byLatency: Bool) throws {
        let bench = try bench("endpoints: [ \"\(served[0])\" ], balance: \(byLatency ? "peak_ewma" : "round_robin")")
        let endpoint = try endpoint(bench, served[0])
        #expect(endpoint.latency?.estimate == nil)
        let before = Syscalls.timeNow()
        _ = try bench.exchange("front", get)
        let estimate = endpoint.latency?.estimate
        #expect((estimate != nil) == byLatency)
        if let estimate { #expect(estimate <= Double(Syscalls.timeNow() - before)) }
    }

    @Test("an endpoint that refuses counts as one that takes the time to connect, so others are picked")
    func refused() throws {
        let bench = try bench(
            "endpoints: [ unix:@sluice-nobody, \"\(served[0])\" ], balance: peak_ewma, connect_timeout: 3s",
            again: "again: { tries: 1 },")
        for _ in 0..<20 { #expect(try bench.exchange("front", get).hasPrefix("HTTP/1.1 200 ")) }
        #expect(try endpoint(bench, "unix:@sluice-nobody").latency?.estimate == 3e9)
        // Only while nothing was known of it, and of the other one.
        #expect(bench.count("upstream_cx_connect_fail") <= 3)
    }
}
