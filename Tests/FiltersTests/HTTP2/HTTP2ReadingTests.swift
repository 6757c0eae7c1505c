import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("Requests over HTTP/2, however they are cut")
struct HTTP2ReadingTests {
    /// What the codec says of a client's frames, without answers; the same however they are cut, or the test fails.
    private func reading(
        _ bytes: [UInt8], _ edit: (inout ServerSettings) -> Void = { _ in },
        at location: SourceLocation = #_sourceLocation
    ) throws -> String {
        let codec = try FakeWorker().make(HTTPServerCodec.self) { settings in
            settings.requestID = false
            settings.forwardedFor = .keep
            settings.trailers = true
            edit(&settings)
        }
        let result = Splitter(Frames.greeting + bytes).run { pieces in
            let bench = ServerBench(codec)
            bench.answer = nil
            for piece in pieces { bench.receive(piece) }
            return bench.transcript.description
        }
        if let difference = result.difference { Issue.record("\(difference)", sourceLocation: location) }
        return result.whole
    }

    @Test("A request without a body")
    func bare() throws {
        let said = try reading(
            Frames.request(1, "GET", "/a/../x?q", [("accept", "*/*"), ("cookie", "a=1"), ("cookie", "b=2")]))
        #expect(said.hasPrefix("request GET /x?q HTTP/2"), "\(said)")
        #expect(said.contains("cookie: a=1; b=2") && said.hasSuffix("end"))
    }

    @Test("A body in several frames, padded, empty, and with trailers")
    func body() throws {
        let said = try reading(
            Frames.request(1, "POST", ends: false) + Frames.data(1, "hel", ends: false)
                + Frames.data(1, "", ends: false)
                + Frames.frame(0, 8, 1, [3] + Array("lo".utf8) + [0, 0, 0])
                + Frames.frame(1, 5, 1, Frames.field("x-end", "yes")))
        #expect(said.contains("request POST /x HTTP/2"))
        #expect(said.contains("body hello"))
        #expect(said.contains("x-end: yes"))
    }

    @Test("Heads in CONTINUATIONs, and frames that mean nothing between others")
    func pieces() throws {
        let block = Frames.request(1).dropFirst(9)
        let said = try reading(
            Frames.frame(0x0B, 0xFF, 7, [1, 2, 3]) + Frames.frame(1, 1, 1, Array(block.prefix(5)))
                + Frames.frame(9, 0, 1, []) + Frames.frame(9, 4, 1, Array(block.dropFirst(5)))
                + Frames.frame(6, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]) + Frames.frame(8, 0, 0, [0, 0, 0, 1])
                + Frames.frame(2, 0, 9, [0, 0, 0, 1, 1]) + Frames.frame(4, 0, 0, [0, 4, 0, 1, 0, 0]))
        #expect(said.hasPrefix("request GET /x HTTP/2") && said.hasSuffix("end"))
    }

    @Test("Requests beside each other, their frames mixed")
    func several() throws {
        let said = try reading(
            Frames.request(1, "POST", "/1", ends: false) + Frames.request(3, "GET", "/3")
                + Frames.data(1, "a", ends: false)
                + Frames.request(5, "POST", "/5", ends: false) + Frames.data(5, "b") + Frames.data(1, "c"))
        #expect(["/1", "/3", "/5"].allSatisfy { said.contains(" \($0) HTTP/2") })
    }

    private static let refused: [(bytes: [UInt8], reason: String)] = {
        var cases: [(bytes: [UInt8], reason: String)] = []
        func add(_ reason: String, _ bytes: [UInt8]) { cases.append((bytes, reason)) }
        add("http2.bad_target", Frames.request(1, "GET", "/a#b"))
        add("http2.protocol_error", Frames.request(1, "GET", "x"))
        add("http2.host_mismatch", Frames.request(1, "GET", "/", [("host", "b")]))
        add("http2.protocol_error", Frames.request(1, "GET", "/", [("x y", "b")]))
        add(
            "http2.bad_content_length",
            Frames.request(1, "POST", "/", [("content-length", String(repeating: "0", count: 25))]))
        add("http2.protocol_error", Frames.request(2))
        add("http2.frame_size_error", Frames.frame(6, 0, 0, [1]))
        add("http2.protocol_error", Frames.frame(9, 4, 1, []))
        add("http2.compression_error", Frames.frame(1, 5, 1, [0x80]))
        add("http2.flow_control_error", Frames.frame(8, 0, 0, [0x7F, 0xFF, 0xFF, 0xFF]))
        add("http2.protocol_error", Frames.frame(2, 0, 0, [0, 0, 0, 1, 1]))
        add("http2.protocol_error", Frames.request(5) + Frames.request(3))
        add("http2.too_many_settings", Frames.frame(4, 0, 0, [UInt8](repeating: 0, count: 33 * 6)))
        var pieces = Frames.frame(1, 0, 1, [])
        for _ in 0..<9 { pieces += Frames.frame(9, 0, 1, []) }
        add("http2.continuation_flood", pieces)
        return cases
    }()

    @Test("What is refused, and why", arguments: refused)
    func refusals(bytes: [UInt8], reason: String) throws {
        let said = try reading(bytes)
        #expect(said.contains(reason), "\(said)")
    }

    /// Not however it is cut: what is given up in the same read causes no request.
    @Test("A stream's credit of 0 costs the stream alone")
    func noCredit() throws {
        let bench = ServerBench(try FakeWorker().make(HTTPServerCodec.self))
        bench.answer = nil
        bench.receive(Frames.greeting + Frames.request(1, "POST", ends: false))
        bench.receive(Frames.frame(8, 0, 1, [0, 0, 0, 0]) + Frames.request(3, "GET", "/3"))
        #expect(bench.requests.map(\.target) == ["/x", "/3"] && !bench.isOver)
        #expect(bench.fault?.reason.description == "http2.protocol_error")
        #expect(Frames.read(bench.connection.takeOutput()).last == "RST_STREAM 0 1 1")
    }

    @Test("Answers go out whole, and the connection goes on")
    func answers() throws {
        let codec = try FakeWorker().make(HTTPServerCodec.self)
        let bench = ServerBench(codec)
        bench.receive(Frames.greeting)
        #expect(Frames.read(bench.connection.takeOutput()) == ["SETTINGS 0 0", "SETTINGS 1 0", "WINDOW_UPDATE 0 0"])
        bench.answer = { bench, stream in
            bench.respond(200, body: ["a", "b"], trailers: ["x": "y"], to: stream)
            bench.close(stream)
        }
        bench.receive(Frames.request(1) + Frames.request(3, "HEAD"))
        let frames = Frames.read(bench.connection.takeOutput())
        #expect(frames.filter { $0.hasSuffix(" 1") }.first == "HEADERS 4 1")
        #expect(frames.contains("HEADERS 5 1") && bench.connection.openStreams == 0, "\(frames)")
    }

    @Test(
        "A client that takes back what it has asked for causes no work, and is stopped when it does so again and again")
    func resets() throws {
        let codec = try FakeWorker().make(HTTPServerCodec.self)
        let bench = ServerBench(codec)
        bench.receive(Frames.greeting)
        for stream in stride(from: 1, through: 203, by: 2) {
            bench.receive(Frames.request(UInt8(stream)) + Frames.frame(3, 0, UInt8(stream), [0, 0, 0, 8]))
        }
        #expect(bench.requests.isEmpty && bench.isOver && bench.fault?.reason.description == "http2.reset_flood")
        #expect(Frames.read(bench.connection.takeOutput()).last == "GOAWAY 0 0 11")
    }
}
