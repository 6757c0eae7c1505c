import FilterAPI
import Testing

@testable import Host

/// Says that each client is another one, as who ends PROXY protocol does.
private final class Namer: ByteFilter {
    struct Settings: FilterSettings {
        var ip = "2001:db8::7"
        init() {}
    }
    static let manifest = Manifest(id: "namer", summary: "Gives clients an address.")
    static var interest: Interest { .lifetime }
    private let ip: String

    init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) { ip = settings.ip }

    func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> Void? {
        stream.connection.setClient(ip: ip, port: 4711, connectedTo: ("192.0.2.1", 443))
        return ()
    }
}

/// Tells the client what an upstream's connection knows of it, in front of all answers.
private final class Teller: ByteFilter {
    static let manifest = Manifest(id: "teller", summary: "Tells.", needs: [Manifest.clientConnection])
    static var interest: Interest { .responseBody }

    init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {}

    func responseBytes(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout Void, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        guard let client = stream.connection.client else { return .leave }
        let text =
            "\(client.remoteAddress) \(client.localAddress) \(client.directRemoteIP) "
            + "\(client.directLocalAddress != client.localAddress) "
        // SAFETY: the string outlives the span.
        stream.sendAbove(stream.makeChunk(copying: unsafe text.utf8Span.span.bytes))
        return .leave
    }
}

@Suite("What filters say and know of clients") struct ClientFactsTests {
    private let key = "facts-\(UInt64.random(in: 0...(.max)))"

    private func bench(_ front: String) throws -> HostBench {
        try HostBench(
            """
            listeners:
              front: { bind: 127.0.0.1:0, chain: \(front) }
              up: { bind: "unix:@sluice-\(key)", chain: [ http, origin ] }
            clusters:
              up: { endpoints: [ "unix:@sluice-\(key)" ], chain: [ teller ] }
            """, [Namer.self, Teller.self, Origin.self])
    }

    private let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    @Test("A byte filter says who the client is, and a cluster's chain knows whose connection it carries")
    func named() throws {
        let answer = try bench("[ namer, tcp_proxy: up ]").exchange("front", request)
        #expect(answer.hasPrefix("[2001:db8::7]:4711 192.0.2.1:443 127.0.0.1 true HTTP/1.1 200"))
    }

    @Test("Without that the client is who is at the other end of the socket")
    func direct() throws {
        let answer = try bench("[ tcp_proxy: up ]").exchange("front", request)
        #expect(answer.hasPrefix("127.0.0.1:"))
        #expect(answer.contains(" 127.0.0.1 false HTTP/1.1 200"))
    }

    @Test("A cluster whose chain needs to know the client does not carry requests, and the config says so")
    func refused() {
        let error = #expect(throws: HostBench.Refused.self) { try bench("[ http, router: { to: up } ]") }
        #expect(error?.text.contains("the cluster `up` cannot carry requests: `teller` in its chain") == true)
    }
}
