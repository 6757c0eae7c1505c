import FilterAPI
import Testing

@testable import Host

@Suite("What filters hold") struct HoldingTests {
    private func post(_ size: Int) -> String {
        "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: \(size)\r\n\r\n"
            + String(repeating: "b", count: size)
    }

    @Test("A whole body may be held up to the limit of the host, and is refused with 413 above it")
    func limit() throws {
        let bench = try HostBench(
            "listeners: { front: { bind: 127.0.0.1:0, chain: [ http, hoarder, origin ] } }",
            [Hoarder.self, Origin.self])
        let good = try bench.exchange("front", post(1_000_000))
        #expect(good.hasPrefix("HTTP/1.1 200 "))
        #expect(good.components(of: "b") >= 1_000_000)
        #expect(try bench.exchange("front", post(2_000_000)).hasPrefix("HTTP/1.1 413 "))
        #expect(bench.count("fault.filter.held_too_much") == 1)
    }

    @Test("The limit of what is held is a setting")
    func limitSet() throws {
        let bench = try HostBench(
            "listeners: { front: { bind: 127.0.0.1:0, hold_limit: 8KiB, chain: [ http, hoarder, origin ] } }",
            [Hoarder.self, Origin.self])
        #expect(try bench.exchange("front", post(8000)).hasPrefix("HTTP/1.1 200 "))
        #expect(try bench.exchange("front", post(100_000)).hasPrefix("HTTP/1.1 413 "))
    }

    @Test(
        "How much waits for a client that does not read is a setting",
        arguments: [("64KiB", 0..<20), ("4MiB", 40..<200)])
    func buffer(limit: String, pages: Range<Int>) throws {
        let name = "unix:@sluice-\(UInt64.random(in: 0...(.max)))"
        let bench = try HostBench(
            """
            listeners:
              front: { bind: 127.0.0.1:0, buffer_limit: \(limit), chain: [ http, router: { to: up } ] }
              up: { bind: "\(name)", chain: [ http, origin ] }
            clusters: { up: { endpoints: [ "\(name)" ] } }
            """, [Origin.self])
        let client = try bench.client(of: "front")
        client.send("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        var turns = 0
        bench.turn {
            turns += 1
            return turns > 300
        }
        #expect(pages.contains(bench.worker.pages.pagesInUse))
        #expect(client.readToEnd().utf8.count > Origin.largeSize)
    }

    @Test("State that is shared has one value for all who name it, and survives a reload")
    func shared() throws {
        let key = "shared-\(UInt64.random(in: 0...(.max)))"
        func config(_ more: String) -> String {
            """
            listeners:
              one: { bind: 127.0.0.1:0, chain: [ http, tally: { key: \(key) }, origin ] }
              two: { bind: 127.0.0.1:0, chain: [ http\(more), tally: { key: \(key) }, origin ] }
            """
        }
        let bench = try HostBench(config(""), [Tally.self, Origin.self, Probe.self])
        let get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        #expect(try bench.exchange("one", get).contains("Age: 1\r\n"))
        #expect(try bench.exchange("two", get).contains("Age: 2\r\n"))
        try bench.install(config(", probe"))
        #expect(try bench.exchange("two", get).contains("Age: 3\r\n"))
        #expect(bench.count("probe.opened") == 1, "the new chain is in place")
    }
}
