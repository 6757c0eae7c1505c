import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("Responses, as they are written to clients")
struct ResponseWritingTests {
    private let date = "Date: Mon, 23 Nov 2026 08:00:00 GMT\r\n"
    private let old = "GET / HTTP/1.0\r\n\r\n"

    @Test("A head without a body says so, and who made it when")
    func plain() {
        #expect(
            answering { $0.respond(200) } == "HTTP/1.1 200 OK\r\nServer: sluice\r\n\(date)Content-Length: 0\r\n\r\n")
        #expect(
            answering { $0.respond(200, ["ETag": "\"a\"", "x-y": "", "X-Y": "2"]) } == """
                HTTP/1.1 200 OK\r
                Etag: "a"\r
                X-Y: \r
                X-Y: 2\r
                Server: sluice\r
                \(date)Content-Length: 0\r
                \r

                """)
    }

    @Test(
        "The reason phrase is our own",
        arguments: [
            (200, "OK"), (404, "Not Found"), (503, "Service Unavailable"), (418, "Client Error"), (599, "Server Error"),
        ])
    func reasons(code: Int, reason: String) {
        #expect(answering { $0.respond(Status(code)) }.hasPrefix("HTTP/1.1 \(code) \(reason)\r\n"))
    }

    @Test("A date that is there stays, the name of the server is ours unless the listener keeps the upstream's")
    func ownFields() {
        let fields: KeyValuePairs = ["Date": "x", "Server": "them"]
        #expect(
            answering { $0.respond(200, fields) }
                == "HTTP/1.1 200 OK\r\nDate: x\r\nServer: sluice\r\nContent-Length: 0\r\n\r\n")
        let keeps: (inout ServerSettings) -> Void = { $0.serverHeader = "" }
        let kept = answering("GET / HTTP/1.1\r\nHost: a\r\n\r\n", keeps) { $0.respond(200, fields) }
        #expect(kept == "HTTP/1.1 200 OK\r\nDate: x\r\nServer: them\r\nContent-Length: 0\r\n\r\n")
    }

    @Test("A body whose length is known is written as it is, any other one in chunks")
    func bodies() {
        let known = answering { $0.respond(200, ["Content-Length": "5"], body: ["he", "llo"]) }
        #expect(known.hasSuffix("Content-Length: 5\r\nServer: sluice\r\n\(date)\r\nhello"))
        let unknown = answering { $0.respond(200, body: ["hello", "", "0123456789abcdef", "last"]) }
        #expect(
            unknown.hasSuffix(
                "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n10\r\n0123456789abcdef\r\n4\r\nlast\r\n0\r\n\r\n"))
        #expect(answering { $0.respond(200, body: ["", ""]) }.hasSuffix("chunked\r\n\r\n0\r\n\r\n"))
    }

    @Test("Trailers go behind chunks, and only those that may come late")
    func trailers() {
        let text = answering {
            $0.respond(200, body: ["hi"], trailers: ["X-T": "1", "Content-Length": "9", "Set-Cookie": "a=b"])
        }
        #expect(text.hasSuffix("\r\n\r\n2\r\nhi\r\n0\r\nX-T: 1\r\n\r\n"))
        let known = answering { $0.respond(200, ["Content-Length": "2"], body: ["hi"], trailers: ["X-T": "1"]) }
        #expect(known.hasSuffix("\r\n\r\nhi"))
    }

    @Test("HTTP/1.0 gets no chunks: the end of the connection ends the body")
    func oldVersion() {
        let text = answering(old) { bench in
            bench.respond(200, body: ["hello"])
            bench.close()
            #expect(bench.connection.wantsClose)
        }
        #expect(text == "HTTP/1.1 200 OK\r\nServer: sluice\r\n\(date)Connection: close\r\n\r\nhello")
        let kept = answering("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n") { bench in
            bench.respond(200, ["Content-Length": "5"], body: ["hello"])
            bench.close()
            #expect(!bench.connection.wantsClose)
        }
        #expect(kept.hasSuffix("Connection: keep-alive\r\n\r\nhello"))
        #expect(answering(old) { $0.respond(200) }.hasSuffix("Content-Length: 0\r\nConnection: close\r\n\r\n"))
    }

    @Test("What answers HEAD, and 204 and 304, has no body whatever its fields say")
    func bodiless() {
        let head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(
            answering(head) { $0.respond(200, ["Content-Length": "5"], body: ["hello"]) }
                == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: sluice\r\n\(date)\r\n")
        #expect(answering(head) { $0.respond(200, body: ["x"]) } == "HTTP/1.1 200 OK\r\nServer: sluice\r\n\(date)\r\n")
        #expect(answering(head) { $0.respond(200) } == "HTTP/1.1 200 OK\r\nServer: sluice\r\n\(date)\r\n")
        #expect(
            answering { $0.respond(304, ["Content-Length": "5"]) }
                == "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nServer: sluice\r\n\(date)\r\n")
        #expect(
            answering { $0.respond(204, ["Content-Length": "5"], body: ["hello"]) }
                == "HTTP/1.1 204 No Content\r\nServer: sluice\r\n\(date)\r\n")
    }

    @Test("What frames a message is the codec's alone")
    func framingIsOurs() {
        let text = answering {
            $0.respond(
                200,
                [
                    "Connection": "keep-alive", "Keep-Alive": "timeout=5", "Transfer-Encoding": "gzip", "Upgrade": "x",
                    "Proxy-Connection": "x", "Content-Length": "2", "content-length": "3",
                ], body: ["ok"])
        }
        #expect(text == "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nServer: sluice\r\n\(date)\r\nok")
    }

    @Test("A body that is longer or shorter than its length is a filter's fault, and never looks complete")
    func mismatch() {
        for pieces in [["hello!"], ["hell"], ["hello", "!"], ["", ""]] {
            let bench = ServerBench(makeServer())
            bench.answer = nil
            bench.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            bench.respond(200, ["Content-Length": "5"], body: pieces)
            #expect(bench.fault?.kind == .filterFailed)
            let output = bench.takeOutput()
            let body =
                output.utf8.count - (output.firstRange(of: "\r\n\r\n").map { output[..<$0.upperBound].utf8.count } ?? 0)
            #expect(body <= 5, "\(output)")
        }
        for length in ["x", "-1", ""] {
            let bench = ServerBench(makeServer())
            bench.answer = nil
            bench.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            bench.respondHead(200, ["Content-Length": length])
            #expect(bench.fault?.kind == .filterFailed)
            #expect(bench.takeOutput() == "")
        }
    }

    @Test(
        "A status that is none is a filter's fault, and another answer can still be written",
        arguments: [0, 99, 600, -1])
    func badStatus(code: Int) {
        let text = answering { bench in
            bench.respond(Status(code))
            #expect(bench.fault?.reason.description == "http1.bad_status")
            bench.respond(500)
        }
        #expect(text.hasPrefix("HTTP/1.1 500 Internal Server Error\r\n"))
    }

    @Test("Answers before the answer are passed on, but not to HTTP/1.0")
    func interim() {
        let text = answering { bench in
            bench.respondHead(103, ["Link": "</a>"])
            bench.respond(200)
        }
        #expect(text.hasPrefix("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"))
        #expect(answering { $0.respondHead(100) } == "HTTP/1.1 100 Continue\r\n\r\n")
        #expect(answering(old) { $0.respondHead(103) } == "")
    }

    @Test("A long answer comes out whole")
    func longHead() {
        let value = String(repeating: "v", count: 40_000)
        let text = answering { $0.respond(200, ["X": value], body: [String(repeating: "b", count: 100_000)]) }
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\nX: \(value)\r\n"))
        #expect(text.hasSuffix("\r\n186a0\r\n\(String(repeating: "b", count: 100_000))\r\n0\r\n\r\n"))
    }
}
