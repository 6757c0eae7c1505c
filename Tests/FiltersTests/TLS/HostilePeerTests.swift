import COpenSSL
import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("TLS with peers that play foul") struct HostilePeerTests {
    private static let versions = [TLS1_2_VERSION, TLS1_3_VERSION]
    private let lab = TLSLab()
    private let filter: TLS

    init() throws { filter = try lab.makeServer() }

    private func open(_ version: Int32) throws -> (HostilePeer, TLSBench) {
        let (peer, server) = (HostilePeer(version: version), TLSBench(filter, .client))
        for _ in 0..<4 {
            server.receive(peer.shakeHands())
            peer.receive(server.takeToPeer())
        }
        try #require(peer.isOpen && server.isOpen)
        return (peer, server)
    }

    // MARK: Keys

    @Test("a few changes of keys are taken, and answered") func fewKeyUpdates() throws {
        let (peer, server) = try open(TLS1_3_VERSION)
        for _ in 0..<16 {
            server.receive(peer.updateKeys())
            peer.receive(server.takeToPeer())
            server.receive(peer.seal("request"))
            #expect(server.takeText() == "request")
            server.send("answer")
            peer.receive(server.takeToPeer())
            #expect(peer.open() == "answer")
        }
        #expect(server.fault == nil)
    }

    @Test("a flood of them ends the connection, and is not answered without end", arguments: [1, 100, 10_000])
    func keyUpdates(together count: Int) throws {
        let (peer, server) = try open(TLS1_3_VERSION)
        var bytes: [UInt8] = []
        for _ in 0..<(10_000 / count) where server.fault == nil {
            for _ in 0..<count { bytes += peer.updateKeys() }
            server.receive(bytes)
            bytes = []
        }
        #expect(server.reason == "tls.too_many_key_updates" && server.fault?.kind == .clientGone)
        #expect(server.toPeer.count <= 16 * 1024)
    }

    @Test("who sends a lot may change keys now and then") func keyUpdatesWithData() throws {
        let (peer, server) = try open(TLS1_3_VERSION)
        let text = String(repeating: "x", count: 16 * 1024)
        for _ in 0..<40 {
            for _ in 0..<65 { server.receive(peer.seal(text)) }
            server.receive(peer.updateKeys())
            #expect(server.takeText().utf8.count == 65 * 16 * 1024)
        }
        #expect(server.fault == nil)
    }

    // MARK: Records

    @Test("records that are changed, twice there or in another order end it", arguments: versions, 0..<4)
    func records(_ version: Int32, _ way: Int) throws {
        let (peer, server) = try open(version)
        let (first, second) = (peer.seal("first"), peer.seal("second"))
        var changed = first
        changed[changed.count - 1] ^= 1
        let ways = [[changed], [first, first], [second, first], [first, second.dropLast() + [0]]]
        for bytes in ways[way] { server.receive(bytes) }
        #expect(server.reason == "tls.bad_record")
        #expect(server.takeText() == (way == 1 || way == 3 ? "first" : ""))
        // The alert says so (20), sealed in TLS 1.3 and 1.2 alike.
        #expect(!server.toPeer.isEmpty)
        peer.receive(server.takeToPeer())
        #expect(peer.open() == "")
    }

    @Test("records above what may be are refused before they are there", arguments: versions)
    func largeRecords(_ version: Int32) throws {
        for length in [16 * 1024 + 2049, 0xFFFF] {
            let (_, server) = try open(version)
            server.receive([23, 3, 3, UInt8(length >> 8), UInt8(length & 255)])
            #expect(server.reason == "tls.protocol")
            let early = TLSBench(filter, .client)
            early.receive([22, 3, 1, UInt8(length >> 8), UInt8(length & 255)])
            #expect(early.reason == "tls.handshake_failed")
        }
    }

    @Test("kinds of records that do not belong there are refused", arguments: versions, [20, 22, 24, 99] as [UInt8])
    func kinds(_ version: Int32, _ kind: UInt8) throws {
        let (peer, server) = try open(version)
        server.receive([kind, 3, 3, 0, 1, 1])
        server.receive(peer.seal("behind it"))
        #expect(server.fault != nil && server.toInside.isEmpty)
    }

    @Test("records in the clear on an open connection are refused", arguments: versions)
    func clearRecords(_ version: Int32) throws {
        for kind: UInt8 in [21, 23] {
            let (_, server) = try open(version)
            server.receive([kind, 3, 3, 0, 2, 1, 0])
            #expect(server.fault != nil && server.toInside.isEmpty)
        }
    }

    // MARK: What is not spoken

    @Test("bytes before the handshake are refused and go nowhere, the connection goes on") func earlyData() throws {
        for _ in 0..<5 {
            let (first, one) = try open(TLS1_3_VERSION)
            one.send("a ticket comes with it")
            first.receive(one.takeToPeer())
            _ = first.open()
            let session = unsafe try #require(first.takeSession())
            defer { unsafe SSL_SESSION_free(session) }
            let (peer, server) = unsafe (HostilePeer(session), TLSBench(filter, .client))
            let early = peer.sendEarly("POST / HTTP/1.1\r\n\r\n")
            try #require(!early.isEmpty)
            server.receive(early)
            #expect(server.toInside.isEmpty && !server.isOpen)
            for _ in 0..<4 {
                peer.receive(server.takeToPeer())
                server.receive(peer.shakeHands())
            }
            #expect(peer.isOpen && server.isOpen && peer.earlyDataWasRefused)
            #expect(server.connectionFacts.tls?.isResumed == true)
            server.receive(peer.seal("late"))
            #expect(server.takeText() == "late")
            // From a record of it.
            let replayed = TLSBench(filter, .client)
            replayed.receive(early)
            #expect(replayed.toInside.isEmpty && !replayed.isOpen)
        }
    }

    @Test("a new handshake on an open connection does not take place, however often it is asked for")
    func renegotiation() throws {
        let (peer, server) = try open(TLS1_2_VERSION)
        var sent = 0
        for _ in 0..<1000 where server.fault == nil {
            let asked = peer.renegotiate()
            sent += asked.count
            server.receive(asked)
            peer.receive(server.takeToPeer())
        }
        #expect(sent > 0 && server.toInside.isEmpty)
        #expect(lab.server.value(of: "tls.handshake") == 1)
    }

    // MARK: Upstreams

    private func openUpstream(_ version: Int32) throws -> (HostilePeer, TLSBench) {
        let peer = HostilePeer(version: version, serving: lab.folder.write("upstream", .any))
        let client = TLSBench(try lab.makeClient(), .upstream)
        for _ in 0..<4 {
            peer.receive(client.takeToPeer())
            client.receive(peer.shakeHands())
        }
        try #require(peer.isOpen && client.isOpen)
        return (peer, client)
    }

    @Test("an upstream that changes its keys all the time is given up") func upstreamKeyUpdates() throws {
        let (peer, client) = try openUpstream(TLS1_3_VERSION)
        for _ in 0..<16 { client.receive(peer.updateKeys()) }
        #expect(client.fault == nil)
        for _ in 0..<10_000 where client.fault == nil { client.receive(peer.updateKeys()) }
        #expect(client.reason == "tls.too_many_key_updates" && client.fault?.kind == .upstreamProtocol)
    }

    @Test("an upstream that asks for a new handshake gets none") func upstreamRenegotiation() throws {
        let (peer, client) = try openUpstream(TLS1_2_VERSION)
        client.receive(peer.renegotiate())
        peer.receive(client.takeToPeer())
        client.receive(peer.seal("answer"))
        #expect(client.toInside.isEmpty || client.takeText() == "answer")
        #expect(lab.client.value(of: "tls.handshake") == 1)
    }

    @Test("tickets without end are kept once, and cost no answer") func tickets() throws {
        let (peer, client) = try openUpstream(TLS1_3_VERSION)
        for _ in 0..<1000 { client.receive(peer.makeTicket()) }
        #expect(client.fault == nil && client.toPeer.isEmpty && client.toInside.isEmpty)
        client.receive(peer.seal("answer"))
        #expect(client.takeText() == "answer")
    }

    @Test("bytes in the clear from an upstream reach nobody, whenever they come", arguments: versions)
    func upstreamInTheClear(_ version: Int32) throws {
        let text = Array("HTTP/1.1 200 OK\r\n\r\n".utf8)
        let (_, open) = try openUpstream(version)
        open.receive(text)
        #expect(open.fault != nil && open.toInside.isEmpty)
        let early = TLSBench(try lab.makeClient(), .upstream)
        early.receive(text)
        #expect(early.reason == "tls.not_tls" && early.toInside.isEmpty)
        // Between the server's words, in the same read.
        let peer = HostilePeer(version: version, serving: lab.folder.write("upstream", .any))
        let client = TLSBench(try lab.makeClient(), .upstream)
        peer.receive(client.takeToPeer())
        client.receive(peer.shakeHands() + text)
        #expect(client.fault != nil && client.toInside.isEmpty)
    }
}
