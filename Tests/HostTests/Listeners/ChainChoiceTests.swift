import Testing

@testable import Host

@Suite("Clients that wait for their chain") struct ChainChoiceTests {
    private func config(_ chains: String, extra: String = "") -> String {
        """
        listeners:
          front:
            bind: 127.0.0.1:0
            \(extra)
            chains: \(chains)
        clusters:
          app: { endpoints: [ "127.0.0.1:1" ] }
        """
    }

    private let answer = "chain: [ http, { router: { routes: [ { respond: { status: 204 } } ] } } ]"
    private let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    @Test("a client for which there is no chain is closed and counted") func none() throws {
        let bench = try HostBench(config("[ { match: { tls: true }, chain: [ tcp_proxy: app ] } ]"), [])
        let client = try bench.client(of: "front")
        client.send("GET")
        #expect(client.readToEnd() == "")
        #expect(bench.count("fault.listener.no_chain") == 1 && bench.worker.connectionCount == 0)
        let elsewhere = try HostBench(config("[ { match: { sources: 192.0.2.1 }, chain: [ tcp_proxy: app ] } ]"), [])
        #expect(try elsewhere.client(of: "front").readToEnd() == "")
        #expect(elsewhere.count("fault.listener.no_chain") == 1 && elsewhere.worker.connectionCount == 0)
    }

    @Test("a client that does not say enough in time is closed and counted") func slow() throws {
        let bench = try HostBench(
            config("[ { match: { tls: true }, chain: [ tcp_proxy: app ] } ]", extra: "match_timeout: 20ms"), [])
        let client = try bench.client(of: "front")
        client.send("\u{16}\u{3}")
        #expect(client.readToEnd() == "")
        #expect(bench.count("fault.listener.match_timeout") == 1 && bench.worker.connectionCount == 0)
    }

    @Test("a message that no client may send is counted by its reason") func malformed() throws {
        let bench = try HostBench(config("[ { match: { tls: true }, chain: [ tcp_proxy: app ] } ]"), [])
        let client = try bench.client(of: "front")
        client.send("\u{16}\u{3}\u{1}\u{7f}\u{7f}")
        #expect(client.readToEnd() == "")
        #expect(bench.count("fault.tls.record_too_large") == 1 && bench.worker.connectionCount == 0)
    }

    @Test("a client that leaves while it waits is forgotten", arguments: [false, true]) func leaves(isHalf: Bool) throws
    {
        let bench = try HostBench(config("[ { match: { tls: false }, \(answer) } ]"), [])
        let client = try bench.client(of: "front")
        #expect(bench.turn { bench.worker.connectionCount == 1 })
        if isHalf { client.endSending() } else { client.close() }
        #expect(bench.turn { bench.worker.connectionCount == 0 })
        #expect(bench.count("fault.client.closed") == 1)
    }

    @Test("those who wait count as clients of the listener") func limit() throws {
        let bench = try HostBench(config("[ { match: { tls: false }, \(answer) } ]", extra: "max_connections: 1"), [])
        let first = try bench.client(of: "front")
        #expect(bench.turn { bench.worker.connectionCount == 1 })
        #expect(try bench.client(of: "front").readToEnd() == "")
        #expect(bench.count("downstream_cx_overflow") == 1)
        first.send(request)
        #expect(first.readToEnd().hasPrefix("HTTP/1.1 204"))
        #expect(bench.turn { bench.worker.connectionCount == 0 })
    }

    @Test("a reload gives those who wait the new chains") func reload() throws {
        let bench = try HostBench(config("[ { match: { tls: true }, chain: [ tcp_proxy: app ] } ]"), [])
        let client = try bench.client(of: "front")
        #expect(bench.turn { bench.worker.connectionCount == 1 })
        try bench.install(config("[ { match: { sources: 127.0.0.0/8 }, \(answer) } ]"))
        client.send(request)
        #expect(client.readToEnd().hasPrefix("HTTP/1.1 204"))
    }

    @Test("a drain lets go of the silent, and of the others when they have their chain and their answer")
    func drain() throws {
        let bench = try HostBench(config("[ { match: { tls: true }, chain: [ tcp_proxy: app ] }, { \(answer) } ]"), [])
        let silent = try bench.client(of: "front")
        let speaking = try bench.client(of: "front")
        // The first byte of a message of TLS; the second says that it is none.
        speaking.send("\u{16}")
        #expect(bench.turn { bench.worker.connectionCount == 2 })
        bench.turn(0.02) { false }
        var isDrained = false
        bench.worker.drainInbound { isDrained = true }
        #expect(silent.readToEnd() == "" && !isDrained)
        speaking.send("x\r\n\r\n")
        #expect(speaking.readToEnd().hasPrefix("HTTP/1.1 400"))
        #expect(bench.turn { isDrained } && bench.worker.connectionCount == 0)
    }

    @Test("the end of the process does not wait for those who wait") func abort() throws {
        let bench = try HostBench(config("[ { match: { tls: true }, chain: [ tcp_proxy: app ] } ]"), [])
        let client = try bench.client(of: "front")
        client.send("\u{16}")
        #expect(bench.turn { bench.worker.connectionCount == 1 })
        bench.worker.abort()
        #expect(client.readToEnd() == "" && bench.worker.connectionCount == 0)
    }
}
