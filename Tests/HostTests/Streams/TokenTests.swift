import Engine
import FilterAPI
import Testing

@testable import Host

@Suite("Tokens of held streams") struct TokenTests {
    private let key = "tokens-\(UInt64.random(in: 0...(.max)))"
    private var tokens: Gate.Tokens { Gate.Tokens.of(key) }
    private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    private func bench(_ gate: String = "") throws -> HostBench {
        try HostBench(
            """
            listeners:
              front: { bind: 127.0.0.1:0, chain: [ http, probe, gate: { key: \(key) \(gate) }, origin ] }
            """, [Gate.self, Probe.self, Origin.self])
    }

    private func held(_ bench: HostBench, _ count: UInt64) -> Bool { bench.turn { bench.count("gate.held") == count } }

    @Test("Nothing goes on before the token is used; any thread may use it")
    func anyThread() throws {
        let bench = try bench()
        let client = try bench.client(of: "front")
        client.send(get)
        #expect(held(bench, 1))
        #expect(!client.reads("HTTP", within: 0.1))
        let tokens = tokens
        try WorkerThread.start(name: "other") { tokens.takeFirst()?.resume() }.join()
        #expect(client.reads("\r\n\r\nok"))
    }

    @Test("A token that is dropped fails the stream, and is counted")
    func dropped() throws {
        let bench = try bench()
        let client = try bench.client(of: "front")
        client.send(get)
        #expect(held(bench, 1))
        _ = tokens.takeFirst()
        #expect(client.reads("HTTP/1.1 500 "))
        #expect(bench.count("fault.filter.dropped_token") == 1)
        #expect(bench.turn { bench.count("probe.complete") == 1 })
    }

    @Test("A token may answer, or fail")
    func outcomes() throws {
        let bench = try bench()
        let client = try bench.client(of: "front")
        client.send(get)
        #expect(held(bench, 1))
        tokens.takeFirst()?.reply(403, body: "not you")
        #expect(client.reads("\r\n\r\nnot you"))
        client.send(get)
        #expect(held(bench, 2))
        tokens.takeFirst()?.fail(Fault(.overloaded, "test.full"))
        #expect(client.reads("HTTP/1.1 503 "))
        #expect(bench.count("fault.test.full") == 1)
    }

    @Test("A late token does nothing, not even to the stream that has the place of its own")
    func late() throws {
        let bench = try bench()
        let gone = try bench.client(of: "front")
        gone.send(get)
        #expect(held(bench, 1))
        let late = tokens.takeFirst()
        gone.close()
        // The client's end alone may be half of one: a second of silence would be right as well.
        let next = try bench.client(of: "front")
        let reset = try bench.client(of: "front")
        reset.close()
        next.send(get)
        #expect(held(bench, 2))
        late?.resume()
        #expect(!next.reads("HTTP", within: 0.1))
        tokens.takeFirst()?.resume()
        #expect(next.reads("\r\n\r\nok"))
    }

    @Test("A filter that was promised to be woken is, and may answer then")
    func wake() throws {
        let bench = try bench(", patience: 30ms")
        let client = try bench.client(of: "front")
        client.send(get)
        #expect(client.reads("waited for too long"))
        #expect(client.received.hasPrefix("HTTP/1.1 504 "))
        // The token is of no use any more.
        tokens.takeFirst()?.resume()
        client.send(get)
        #expect(
            bench.turn {
                client.read()
                return client.received.components(of: "HTTP/1.1 504 ") == 2
            })
        tokens.takeFirst()?.resume()
    }
}
