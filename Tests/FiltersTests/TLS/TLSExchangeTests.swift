import FilterAPI
import FilterTesting
import Glibc
import Testing

@testable import Filters

@Suite("TLS between two ends, however its bytes are cut") struct TLSExchangeTests {
    private let lab = TLSLab()
    private let server: TLS
    private let clients: [TLSVersion: TLS]

    init() throws {
        server = try lab.makeServer()
        let lab = lab
        clients = Dictionary(
            uniqueKeysWithValues: try TLSVersion.allCases.map { version in
                (version, try lab.makeClient { ($0.minVersion, $0.maxVersion) = (version, version) })
            })
    }

    private func ends(_ version: TLSVersion) throws -> (client: TLSBench, server: TLSBench) {
        (TLSBench(try #require(clients[version]), .upstream), TLSBench(server, .client))
    }

    private func openEnds(_ version: TLSVersion) throws -> (client: TLSBench, server: TLSBench) {
        let (client, server) = try ends(version)
        TLSLab.exchange(client, server)
        try #require(client.isOpen && server.isOpen)
        return (client, server)
    }

    @Test("what was agreed on is known, and the time for it is no longer counted", arguments: TLSVersion.allCases)
    func handshake(_ version: TLSVersion) throws {
        let (client, server) = try ends(version)
        #expect(client.isShakingHands && server.isShakingHands)
        TLSLab.exchange(client, server)
        for end in [client, server] {
            #expect(end.isOpen && !end.isShakingHands && end.wakeDue == nil && end.fault == nil)
            #expect(end.connectionFacts.tls?.version == version)
        }
        #expect(server.connectionFacts.serverName == "a.test")
        #expect(client.connectionFacts.tls?.peer?.dnsNames == ["a.test", "*.wild.test"])
        #expect(server.connectionFacts.tls?.applicationProtocol == nil)
    }

    @Test("bytes pass both ways, whatever their number", arguments: TLSVersion.allCases)
    func data(_ version: TLSVersion) throws {
        let (client, server) = try openEnds(version)
        for count in [1, 2, 1000, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 200_000] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            for (from, to) in [(client, server), (server, client)] {
                from.send(bytes)
                #expect(from.toPeer.count > count)
                to.receive(from.takeToPeer())
                #expect(to.toInside == bytes)
                _ = to.takeText()
            }
        }
    }

    @Test("every flight of a handshake may be cut anywhere", arguments: TLSVersion.allCases, [false, true])
    func flights(_ version: TLSVersion, _ isAgain: Bool) throws {
        let filter = try lab.makeClient {
            ($0.minVersion, $0.maxVersion, $0.sessionResumption) = (version, version, isAgain)
        }
        func ends() -> (client: TLSBench, server: TLSBench) { (TLSBench(filter, .upstream), TLSBench(server, .client)) }
        let first = ends()
        TLSLab.exchange(first.client, first.server)
        var flights = 0
        var isOver = false
        while !isOver {
            var cut = 1
            while true {
                let (client, server) = ends()
                var (from, to) = (client, server)
                for _ in 0..<flights {
                    to.receive(from.takeToPeer())
                    (from, to) = (to, from)
                }
                let bytes = from.takeToPeer()
                guard cut < bytes.count else {
                    isOver = bytes.isEmpty
                    // To its end, for the ticket: each is good for one connection.
                    to.receive(bytes)
                    TLSLab.exchange(client, server)
                    break
                }
                let wasOpen = to.isOpen
                to.receive(Array(bytes[..<cut]))
                // Behind the handshake's last word there may be a ticket, without which it is over as well.
                #expect(to.fault == nil && (to.isOpen == wasOpen || version == .tls13))
                to.receive(Array(bytes[cut...]))
                TLSLab.exchange(client, server)
                guard client.isOpen, server.isOpen, client.connectionFacts.tls?.isResumed == isAgain else {
                    Issue.record("flight \(flights), cut at \(cut): \(client.reason ?? "") \(server.reason ?? "")")
                    return
                }
                cut += 1
            }
            flights += 1
        }
        #expect(flights >= 4)
    }

    @Test("handshake and data pass in single bytes", arguments: TLSVersion.allCases)
    func singleBytes(_ version: TLSVersion) throws {
        let (client, server) = try ends(version)
        func exchange() {
            while !client.toPeer.isEmpty || !server.toPeer.isEmpty {
                for byte in client.takeToPeer() { server.receive([byte]) }
                for byte in server.takeToPeer() { client.receive([byte]) }
            }
        }
        exchange()
        #expect(client.isOpen && server.isOpen)
        client.send("hello")
        client.send(" world")
        server.send("hi")
        exchange()
        #expect(server.takeText() == "hello world")
        #expect(client.takeText() == "hi")
        client.send("bye", last: true)
        exchange()
        #expect(server.takeText() == "bye" && server.insideIsTold && server.fault == nil)
    }

    @Test("a record that is cut waits for its rest, and gives nothing before", arguments: TLSVersion.allCases)
    func records(_ version: TLSVersion) throws {
        let (client, server) = try openEnds(version)
        for cut in 1..<60 {
            client.send("0123456789 0123456789 0123456789")
            let bytes = client.takeToPeer()
            guard cut < bytes.count else { break }
            server.receive(Array(bytes[..<cut]))
            #expect(server.fault == nil && server.toInside.isEmpty)
            server.receive(Array(bytes[cut...]))
            #expect(server.takeText() == "0123456789 0123456789 0123456789")
        }
    }

    @Test("what ends in due form ends for the other side, which may still answer", arguments: TLSVersion.allCases)
    func endings(_ version: TLSVersion) throws {
        let (client, server) = try openEnds(version)
        client.send("the last", last: true)
        #expect(client.peerIsTold)
        server.receive(client.takeToPeer(), last: true)
        #expect(server.takeText() == "the last" && server.insideIsTold && server.fault == nil)
        server.send("answer", last: true)
        client.receive(server.takeToPeer(), last: true)
        #expect(client.takeText() == "answer" && client.insideIsTold && client.fault == nil)
        // Nothing goes out behind the end, and asking for it again does no harm.
        server.send("more", last: true)
        #expect(server.toPeer.isEmpty && server.fault == nil)
    }

    @Test("an end without notice is told from one in due form", arguments: TLSVersion.allCases)
    func truncated(_ version: TLSVersion) throws {
        let (client, server) = try openEnds(version)
        client.send("half")
        server.receive(client.takeToPeer(), last: true)
        #expect(server.reason == "tls.closed_without_notify")
        #expect(server.fault?.kind == .clientGone)
        let (other, far) = try openEnds(version)
        far.send("half of a record")
        other.receive(Array(far.takeToPeer().dropLast()), last: true)
        #expect(other.reason == "tls.closed_without_notify" && other.toInside.isEmpty)
        #expect(other.fault?.kind == .upstreamClosed)
    }

    @Test("an end within the handshake is told apart", arguments: TLSVersion.allCases)
    func earlyEnd(_ version: TLSVersion) throws {
        let (client, server) = try ends(version)
        server.receive(Array(client.takeToPeer().dropLast()), last: true)
        #expect(server.reason == "tls.closed_in_handshake" && server.fault?.kind == .clientGone)
        client.receive([], last: true)
        #expect(client.reason == "tls.closed_in_handshake" && client.fault?.kind == .handshakeFailed)
        let (other, far) = try ends(version)
        // An alert in the clear that says so, whatever the socket says.
        far.receive(other.takeToPeer())
        far.receive([21, 3, 3, 0, 2, 1, 0])
        #expect(far.reason == "tls.closed_in_handshake")
    }

    @Test("the handshake's time is limited, the connection's is not") func deadline() throws {
        let (client, server) = try ends(.tls13)
        server.advance(by: .seconds(9))
        #expect(server.fault == nil)
        server.advance(by: .seconds(1))
        #expect(server.reason == "tls.handshake_timeout" && server.fault?.kind == .clientGone)
        client.advance(by: .seconds(10))
        #expect(client.reason == "tls.handshake_timeout" && client.fault?.kind == .handshakeFailed)
        let (one, other) = try openEnds(.tls13)
        for end in [one, other] {
            end.advance(by: .seconds(3600))
            #expect(end.fault == nil)
        }
    }

    @Test("a session is taken up again, and shows who the peer was", arguments: TLSVersion.allCases)
    func resumption(_ version: TLSVersion) throws {
        for isAgain in [false, true, true, true] {
            let (client, server) = try openEnds(version)
            #expect(client.connectionFacts.tls?.isResumed == isAgain)
            #expect(server.connectionFacts.tls?.isResumed == isAgain)
            #expect(client.connectionFacts.tls?.peer?.dnsNames.first == "a.test")
        }
        #expect(lab.server.value(of: "tls.handshake") == 4 && lab.server.value(of: "tls.session_reused") == 3)
    }

    @Test("no session outlives the certificates that it rests on", arguments: TLSVersion.allCases)
    func expiredSessions(_ version: TLSVersion) throws {
        let lab = TLSLab()
        let end = time(nil) + 2
        let own = lab.folder.write("own", .make(usage: "clientAuth"))
        let short = lab.folder.write("short", .make(until: 2, usage: "clientAuth"))
        let filter = try lab.makeServer { $0.ca = lab.folder.write("ca.pem", TestPair.authorityPEM) }
        lab.folder.write("server", .make(until: 2))
        let shortServer = try lab.makeServer()
        func client(_ pair: (certificate: String, key: String)) throws -> TLS {
            try lab.makeClient { settings in
                (settings.minVersion, settings.maxVersion) = (version, version)
                (settings.certificate, settings.key) = (pair.certificate, pair.key)
            }
        }
        let known = try client(own)
        let gone = try client(short)
        let wary = try client(own)
        func reasons(_ client: TLS, _ server: TLS) -> [String?] {
            let (one, other) = (TLSBench(client, .upstream), TLSBench(server, .client))
            TLSLab.exchange(one, other)
            return [one.reason, other.reason]
        }
        for (one, other) in [(known, filter), (gone, filter), (wary, shortServer)] {
            #expect(reasons(one, other) == [nil, nil])
        }
        while time(nil) <= end { usleep(20_000) }
        #expect(reasons(known, filter) == [nil, nil])
        #expect(lab.server.value(of: "tls.session_reused") == 1)
        #expect(reasons(gone, filter)[1] == "tls.certificate_expired")
        #expect(reasons(wary, shortServer)[0] == "tls.certificate_expired")
        #expect(lab.server.value(of: "tls.session_reused") == 1)
    }

    @Test("where both sides do not agree, each says why") func disagreements() throws {
        func reasons(_ client: TLS, _ server: TLS, host: String = "a.test") -> [String?] {
            let (one, other) = (TLSBench(client, .upstream, host: host), TLSBench(server, .client))
            TLSLab.exchange(one, other)
            #expect(one.isOpen == (version(one) == .tls13) || !one.isOpen)
            return [one.reason, other.reason]
        }
        func version(_ bench: TLSBench) -> TLSVersion? { bench.connectionFacts.tls?.version }
        let old = try lab.makeServer { $0.maxVersion = .tls12 }
        let fresh = try lab.makeServer { $0.minVersion = .tls13 }
        #expect(reasons(try #require(clients[.tls13]), old) == ["tls.alert_version", "tls.version"])
        #expect(reasons(try #require(clients[.tls12]), fresh) == ["tls.alert_version", "tls.version"])
        let one = try lab.makeClient { ($0.maxVersion, $0.ciphers) = (.tls12, "ECDHE-ECDSA-AES256-GCM-SHA384") }
        let other = try lab.makeServer { $0.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256" }
        #expect(reasons(one, other) == ["tls.alert_handshake_failure", "tls.no_shared_cipher"])
        let group = try lab.makeClient { $0.groups = "secp384r1" }
        let narrow = try lab.makeServer { $0.groups = "X25519" }
        #expect(reasons(group, narrow) == ["tls.alert_handshake_failure", "tls.no_shared_group"])
        let zorg = try lab.makeClient { $0.alpn = ["zorg"] }
        #expect(reasons(zorg, server) == ["tls.alert_no_application_protocol", "tls.no_application_protocol"])
        let picky = try lab.makeServer { $0.unknownNames = .refuse }
        #expect(
            reasons(try #require(clients[.tls13]), picky, host: "b.test")
                == ["tls.alert_unknown_name", "tls.unknown_name"])
        #expect(reasons(try #require(clients[.tls13]), server, host: "b.test").first == "tls.wrong_name")
    }

    @Test(
        "bytes that are no TLS are refused, on either side",
        arguments: ["SSH-2.0-x\r\n", "\0\0\0\0\0\0", "220 mail\r\n"])
    func noTLS(_ text: String) throws {
        let (client, server) = try ends(.tls13)
        for end in [client, server] {
            end.receive(Array(text.utf8))
            #expect(end.fault != nil && !end.isOpen && end.toInside.isEmpty)
        }
        #expect(client.reason == "tls.not_tls")
    }
}
