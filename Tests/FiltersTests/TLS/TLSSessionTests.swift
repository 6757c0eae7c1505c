import COpenSSL
import FilterAPI
import Testing

@testable import Filters

@Suite("One connection's TLS") struct TLSSessionTests {
    private static let versions: [TLSVersion] = [.tls12, .tls13]

    /// Hands bytes to and fro in pieces of that size, until neither has anything to say.
    private func exchange(_ client: TLSEnd, _ server: TLSEnd, piece: Int = .max) {
        client.feed([])
        var isMoving = true
        while isMoving {
            isMoving = false
            for (from, to) in [(client, server), (server, client)] {
                var bytes = from.take()[...]
                while !bytes.isEmpty {
                    isMoving = true
                    to.feed(bytes.prefix(piece))
                    bytes = bytes.dropFirst(piece)
                }
            }
        }
    }

    private func talk(_ version: TLSVersion, piece: Int = .max, roomSize: Int = 16_384) throws {
        let server = try TLSEnd(.client, roomSize: roomSize)
        let client = try TLSEnd(.upstream, roomSize: roomSize) { $0.maxVersion = version }
        exchange(client, server, piece: piece)
        #expect(client.session.isOpen && server.session.isOpen)
        #expect(server.session.facts().version == version && client.session.facts().peer != nil)
        let question = String(repeating: "question ", count: 5000)
        client.say(question)
        exchange(client, server, piece: piece)
        server.say("answer")
        server.end()
        exchange(client, server, piece: piece)
        #expect(String(decoding: server.heard, as: UTF8.self) == question)
        #expect(String(decoding: client.heard, as: UTF8.self) == "answer")
        #expect(client.session.peerEnded && client.fault == nil && server.fault == nil)
    }

    @Test("pieces of any size say the same", arguments: versions, [1, 2, 5, 100, 1000, 16_400])
    func pieces(version: TLSVersion, size: Int) throws { try talk(version, piece: size) }

    @Test("little room for what is written is asked for again, wherever the memory is", arguments: versions)
    func littleRoom(version: TLSVersion) throws { try talk(version, roomSize: 100) }

    @Test("a flight that is cut in two at any place is awaited and taken", arguments: versions)
    func everySplitOfEachFlight(version: TLSVersion) throws {
        let sample = try TLSEnd(.upstream) { $0.maxVersion = version }
        sample.feed([])
        let hello = sample.take()
        for cut in 1..<hello.count {
            let server = try TLSEnd(.client)
            server.feed(hello[..<cut])
            #expect(server.fault == nil && server.take().isEmpty, "cut at \(cut)")
            server.feed(hello[cut...])
            #expect(server.fault == nil && !server.take().isEmpty, "cut at \(cut)")
        }
        let server = try TLSEnd(.client)
        server.feed(hello)
        let count = server.take().count
        for cut in stride(from: 1, to: count, by: 7) {
            let client = try TLSEnd(.upstream) { $0.maxVersion = version }
            let server = try TLSEnd(.client)
            client.feed([])
            server.feed(client.take())
            let flight = server.take()
            client.feed(flight.prefix(cut))
            #expect(client.fault == nil, "cut at \(cut)")
            client.feed(flight.dropFirst(cut))
            exchange(client, server)
            #expect(client.session.isOpen && server.session.isOpen, "cut at \(cut)")
        }
    }

    @Test("a changed, repeated or exchanged record ends it", arguments: versions, ["changed", "repeated", "exchanged"])
    func badRecords(version: TLSVersion, how: String) throws {
        let server = try TLSEnd(.client)
        let client = try TLSEnd(.upstream) { $0.maxVersion = version }
        exchange(client, server)
        client.say("first")
        let first = client.take()
        client.say("second")
        let second = client.take()
        switch how {
        case "changed": server.feed(first.dropLast() + [first[first.count - 1] ^ 1])
        case "repeated": server.feed(first + first)
        default: server.feed(second + first)
        }
        #expect(server.fault.map { "\($0.reason)" } == "tls.bad_record")
        #expect(!server.heard.starts(with: "second".utf8))
        #expect(!server.take().isEmpty, "an alert says why")
    }

    @Test("some changes of keys are well, floods of them are not")
    func keyUpdates() throws {
        let server = try TLSEnd(.client)
        let client = try TLSEnd(.upstream)
        exchange(client, server)
        for number in 1...40 {
            _ = unsafe SSL_key_update(client.session.ssl, SSL_KEY_UPDATE_REQUESTED)
            client.say(".")
            exchange(client, server)
            #expect((server.fault == nil) == (number <= 16), "change \(number)")
        }
        #expect(server.fault.map { "\($0.reason)" } == "tls.too_many_key_updates")
    }

    @Test("what is written after the end goes nowhere")
    func afterTheEnd() throws {
        let server = try TLSEnd(.client)
        let client = try TLSEnd(.upstream)
        exchange(client, server)
        server.end()
        server.end()
        exchange(client, server)
        server.say("late")
        #expect(server.take().isEmpty && server.fault == nil)
        client.say("still read")
        exchange(client, server)
        #expect(String(decoding: server.heard, as: UTF8.self) == "still read")
    }

    @Test("a session of before is taken up again where the endpoint is the same", arguments: versions)
    func resumption(version: TLSVersion) throws {
        let sessions = SessionStore()
        let tickets = TicketKeys()
        func isResumed(_ endpoint: String, _ tickets: TicketKeys) throws -> Bool {
            let client = try TLSEnd(.upstream, endpoint: endpoint, sessions: sessions) { $0.maxVersion = version }
            exchange(client, try TLSEnd(.client, tickets: tickets))
            #expect(client.session.isOpen)
            return client.session.facts().isResumed
        }
        #expect(try !isResumed("a", tickets))
        #expect(try isResumed("a", tickets))
        #expect(try !isResumed("b", tickets))
        #expect(try !isResumed("a", TicketKeys()), "a ticket that the server cannot open does no harm")
    }
}
