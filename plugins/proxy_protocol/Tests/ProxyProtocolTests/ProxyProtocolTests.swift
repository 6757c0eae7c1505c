import FilterAPI
import FilterTesting
import Testing

@testable import proxy_protocol

/// The other end of a fake connection is 192.0.2.7.
private let trusted = "{ trusted: [ 192.0.2.0/24 ], timeout: 2s }"
private let optional = "{ trusted: [ 192.0.2.0/24 ], required: false, timeout: 2s }"
private let line = "PROXY TCP4 198.51.100.1 203.0.113.2 56324 443\r\n"

@Suite("The filter proxy_protocol") struct ProxyProtocolTests {
    private let worker = FakeWorker()

    private func stream(_ config: String = trusted) throws -> FakeByteStream<ProxyProtocol> {
        let stream = FakeByteStream(try worker.make(ProxyProtocol.self, config: config))
        stream.open()
        return stream
    }

    private func refused(_ reason: String) -> UInt64 {
        worker.value(of: "proxy_protocol.refused{reason=\"\(reason)\"}")
    }

    @Test("The header says who the client is, and only what follows it goes on, however it is cut")
    func read() throws {
        let filter = try worker.make(ProxyProtocol.self, config: trusted)
        Splitter.forEachSplit(of: line + "GET /") { pieces in
            let stream = FakeByteStream(filter)
            stream.open()
            #expect(stream.isInHandshake)
            for piece in pieces { stream.fromPeer(piece) }
            #expect(!stream.isInHandshake && stream.fault == nil && stream.toInside.text == "GET /")
            #expect(stream.connection.remoteAddress == "198.51.100.1:56324")
            #expect(stream.connection.localAddress == "203.0.113.2:443")
            #expect(stream.connection.directRemoteIP == "192.0.2.7")
            stream.close()
        }
        #expect(worker.value(of: "proxy_protocol.accepted{version=\"1\"}") > 0)
    }

    @Test("Who is not trusted is not believed")
    func stranger() throws {
        let stream = try stream("{ trusted: [ 10.0.0.0/8 ] }")
        #expect(stream.fault.map { "\($0.reason)" } == "proxy_protocol.not_trusted")
        #expect(refused("not_trusted") == 1)
        stream.close()
        let open = try self.stream("{ trusted: [ 10.0.0.0/8 ], required: false }")
        open.fromPeer(Array(line.utf8))
        #expect(!open.isInHandshake && open.toInside.text == line && open.connection.remoteIP == "192.0.2.7")
        open.close()
    }

    @Test(
        "What is no header, or a broken one, ends the connection, and nothing of it goes on",
        arguments: [
            ("GET / HTTP/1.1\r\n", "missing"), ("PROXY TCP4 1.2.3.4\r\n", "malformed"),
            ("PROXY TCP4 198.51.100.1 203.0.113.2 56324 443\n", "malformed"),
        ])
    func broken(text: String, reason: String) throws {
        let stream = try stream()
        stream.fromPeer(Array(text.utf8))
        #expect(stream.fault.map { "\($0.reason)" } == "proxy_protocol.\(reason)")
        #expect(stream.toInside.events == 0 && refused(reason) == 1)
        stream.close()
    }

    @Test("Where no header is needed other bytes go on whole")
    func optionalHeader() throws {
        let filter = try worker.make(ProxyProtocol.self, config: optional)
        Splitter.forEachSplit(of: "PROXIMITY") { pieces in
            let stream = FakeByteStream(filter)
            stream.open()
            for piece in pieces { stream.fromPeer(piece) }
            #expect(stream.toInside.text == "PROXIMITY" && !stream.isInHandshake)
            stream.close()
        }
    }

    @Test("A header that does not come in time ends the connection, or is done without")
    func late() throws {
        let stream = try stream()
        stream.fromPeer(Array("PROXY TCP4".utf8))
        stream.advance(by: .seconds(2))
        #expect(stream.fault.map { "\($0.reason)" } == "proxy_protocol.timeout" && refused("timeout") == 1)
        stream.close()
        let silent = try self.stream(optional)
        silent.advance(by: .seconds(2))
        #expect(!silent.isInHandshake && silent.fault == nil)
        silent.fromPeer(Array("EHLO".utf8))
        #expect(silent.toInside.text == "EHLO")
        silent.close()
    }

    @Test("A peer that ends inside of a header is told from one that sends other bytes")
    func ended() throws {
        let stream = try stream()
        stream.fromPeer(Array("PROXY".utf8), last: true)
        #expect(stream.fault.map { "\($0.reason)" } == "proxy_protocol.closed" && refused("closed") == 1)
        stream.close()
    }

    @Test("In a cluster's chain a header is the first that goes out; without a client it says so")
    func written() throws {
        worker.side = .upstream
        let stream = FakeByteStream(try worker.make(ProxyProtocol.self, config: "{ version: 1 }"), side: .upstream)
        stream.open()
        #expect(stream.toPeer.text == "PROXY UNKNOWN\r\n" && !stream.isInHandshake)
        stream.fromInside(Array("GET /".utf8))
        #expect(stream.toPeer.text == "PROXY UNKNOWN\r\nGET /")
        #expect(worker.value(of: "proxy_protocol.sent") == 1)
        stream.close()
    }

    @Test("It keeps the rules of filters")
    func conformance() {
        let reader = ConformanceOptions(config: trusted) { $0.opening = Array(line.utf8) }
        #expect(Conformance.findings(ProxyProtocol.self, reader) == [])
        #expect(Conformance.findings(ProxyProtocol.self, .init(config: trusted)) == [])
        #expect(Conformance.findings(ProxyProtocol.self, .init(config: optional)) == [])
        let writer = ConformanceOptions(config: "{ version: 2, checksum: true }") {
            $0.sides = [.upstream]
            // The header is in front of what the inside says.
            $0.changes = .requestBody
        }
        #expect(Conformance.findings(ProxyProtocol.self, writer) == [])
    }
}
