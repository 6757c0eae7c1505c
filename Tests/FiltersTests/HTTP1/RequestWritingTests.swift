import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("Requests, as they are written to upstreams")
struct RequestWritingTests {
    @Test("A head without a body")
    func plain() {
        #expect(
            sending { $0.request(.fake("GET", "/a?b=c", host: "a.test", fields: ["Accept": "*/*", "X-y": ""])) }
                == "GET /a?b=c HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\nX-Y: \r\n\r\n")
        #expect(sending { $0.request(.fake("OPTIONS", "*")) } == "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n")
        #expect(sending { $0.request(.fake("FROB", "/")) } == "FROB / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        #expect(sending { $0.request(.fake(host: "")) } == "GET / HTTP/1.1\r\nHost: \r\n\r\n")
    }

    @Test("A method that as a rule has a body says that there is none", arguments: ["POST", "PUT", "PATCH"])
    func noBody(method: String) {
        #expect(
            sending { $0.request(.fake(method, "/")) }
                == "\(method) / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n")
    }

    @Test("A body whose length is known is written as it is, any other one in chunks")
    func bodies() {
        let known = sending { bench in
            bench.request(.fake("POST", fields: ["Content-Length": "5"]), last: false)
            bench.requestBody("he")
            bench.requestBody("llo", last: true)
        }
        #expect(known == "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello")
        let unknown = sending { bench in
            var head = RequestHead.fake("POST")
            head.bodyLength = .unknown
            bench.request(head, last: false)
            bench.requestBody("0123456789abcdef")
            bench.requestBody("")
            bench.requestBody("x")
            bench.requestTrailers(["X-T": "1", "Authorization": "x"])
        }
        #expect(
            unknown == """
                POST / HTTP/1.1\r
                Host: a.test\r
                Transfer-Encoding: chunked\r
                \r
                10\r
                0123456789abcdef\r
                1\r
                x\r
                0\r
                X-T: 1\r
                \r

                """)
        let ended = sending { bench in
            var head = RequestHead.fake("GET")
            head.bodyLength = .unknown
            bench.request(head, last: false)
            bench.requestBody("x", last: true)
        }
        #expect(ended.hasSuffix("chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"))
    }

    @Test("What frames a message is the codec's alone")
    func framingIsOurs() {
        let text = sending { bench in
            bench.request(
                .fake(
                    "POST",
                    fields: [
                        "Connection": "close", "Keep-Alive": "x", "Transfer-Encoding": "gzip", "Upgrade": "x",
                        "Proxy-Connection": "x", "Content-Length": "2", "content-length": "3", "host": "b.test",
                    ]), last: false)
            bench.requestBody("ok", last: true)
        }
        #expect(text == "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nok")
    }

    @Test("A body that is longer or shorter than its length is a filter's fault, and never looks complete")
    func mismatch() {
        for (piece, written) in [("hello!", ""), ("hell", "hell")] {
            let text = sending { bench in
                bench.request(.fake("POST", fields: ["Content-Length": "5"]), last: false)
                bench.requestBody(piece, last: true)
            }
            #expect(text.hasSuffix("\r\n\r\n\(written)\nfault filterFailed http1.body_length_mismatch"))
        }
        #expect(
            sending { $0.request(.fake("POST", fields: ["Content-Length": "5"])) }
                == "\nfault filterFailed http1.body_length_mismatch")
        #expect(
            sending { $0.request(.fake("POST", fields: ["Content-Length": "x"]), last: false) }
                == "\nfault filterFailed http1.bad_content_length")
    }

    @Test("An upgrade is asked for where a route lets it pass, and nothing goes into the tunnel before it is open")
    func upgrade() {
        let text = sending { bench in
            var head = RequestHead.fake(fields: ["Upgrade": "websocket"])
            head.wantsUpgrade = true
            bench.request(head, last: false)
            #expect(
                bench.takeOutput()
                    == "GET / HTTP/1.1\r\nHost: a.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            bench.receive("HTTP/1.1 101 Switching Protocols\r\n\r\n")
            bench.requestBody("hello")
        }
        #expect(text.hasPrefix("hello\n"))
        let declined = sending { bench in
            bench.request(.fake(fields: ["Upgrade": "websocket"]), last: false)
        }
        #expect(declined == "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
    }

    @Test("CONNECT ends here: the upstream gets what is in the tunnel and nothing else")
    func connect() {
        let text = sending { bench in
            bench.request(.fake("CONNECT", "b.test:443", host: "b.test:443"), last: false)
            bench.receive("")
            bench.requestBody("hello")
        }
        #expect(text == "hello\nresponse 200 HTTP/1.1 length=?")
    }

    @Test("Who says TE says so in Connection too")
    func trailersWanted() {
        #expect(
            sending { $0.request(.fake(fields: ["TE": "trailers", "te": "x"])) }
                == "GET / HTTP/1.1\r\nHost: a.test\r\nTe: trailers\r\nConnection: TE\r\n\r\n")
    }

    @Test("A request that is given up takes its connection with it")
    func reset() {
        let bench = ClientBench(makeClient())
        bench.request(.fake("POST", fields: ["Content-Length": "5"]), last: false)
        bench.reset()
        #expect(!bench.isReusable)
        #expect(bench.freeStreams == 0)
    }
}
