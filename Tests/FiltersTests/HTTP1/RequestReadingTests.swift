import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("Good requests, as filters see them")
struct RequestReadingTests {
    @Test("Fields keep their order, case and number, and lose the blanks around their values")
    func fields() {
        #expect(
            reading("GET /a?b=c HTTP/1.1\r\nHost: a.test\r\nACCEPT:  */* \t\r\nX-Y:\r\nx-y: \t \r\nX: a\tb\r\n\r\n")
                == """
                request GET /a?b=c HTTP/1.1
                  Host: a.test
                  ACCEPT: */*
                  X-Y:\u{20}
                  x-y:\u{20}
                  X: a\\tb
                end
                """)
    }

    @Test("Bytes above ASCII in a value stay as they are")
    func highBytes() {
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\nX: ".utf8) + [0x62, 0xE4, 0xFF] + Array("\r\n\r\n".utf8)
        #expect(reading(bytes) == "request GET / HTTP/1.1\n  Host: a\n  X: b\\xe4\\xff\nend")
    }

    @Test("Requests that follow each other at once are read one by one")
    func pipelined() {
        let text = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        #expect(
            reading(text + "\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n", ends: true) == """
                request GET /1 HTTP/1.1
                  Host: a
                end
                request POST /2 HTTP/1.1 length=3
                  Host: a
                  Content-Length: 3
                body abc
                end
                request GET /3 HTTP/1.1
                  Host: a
                end
                close
                """)
    }

    @Test("While a request is not answered, the next one is not read")
    func oneAtATime() {
        let bench = ServerBench(makeServer())
        bench.answer = nil
        bench.receive("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(bench.requests.map(\.target) == ["/1"])
        bench.respond(200)
        #expect(bench.requests.count == 1)
        bench.close()
        #expect(bench.requests.map(\.target) == ["/1", "/2"])
    }

    @Test(
        "A method that nobody knows is passed on, in its own case",
        arguments: ["get", "FROB", "M-SEARCH", "a!#$%&'*+-.^_`|~9"])
    func otherMethods(method: String) {
        #expect(reading("\(method) / HTTP/1.1\r\nHost: a\r\n\r\n") == "request \(method) / HTTP/1.1\n  Host: a\nend")
    }

    @Test(
        "A body by its length or in chunks is passed on as the same bytes",
        arguments: [
            ("Content-Length: 0\r\n\r\n", "length=0", ""),
            ("Content-Length: 5\r\n\r\nhello", "length=5", "hello"),
            ("Content-Length: 005\r\n\r\nhello", "length=5", "hello"),
            ("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "length=?", "hello"),
            ("Transfer-Encoding: CHUNKED\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "length=?", "hello world"),
            ("transfer-encoding:\tchunked \r\n\r\n005\r\nhello\r\n000\r\n\r\n", "length=?", "hello"),
            (
                "Transfer-Encoding: chunked\r\n\r\nA;x=\"y;z\"\r\n0123456789\r\n1;\r\nx\r\n0;last\r\n\r\n", "length=?",
                "0123456789x"
            ),
            ("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "length=?", ""),
        ])
    func bodies(rest: String, length: String, body: String) {
        let text = reading("POST / HTTP/1.1\r\nHost: a\r\n" + rest + "GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
        let bodyLine = body.isEmpty ? "" : "body \(body)\n"
        #expect(text.hasPrefix("request POST / HTTP/1.1 \(length)\n"))
        #expect(text.hasSuffix("\n\(bodyLine)end\nrequest GET /next HTTP/1.1\n  Host: a\nend"))
    }

    @Test("Fields of one hop are not passed on")
    func hopByHop() {
        let fields = [
            "Connection: keep-alive, X-Drop ,x-also,, close-ish", "X-Drop: 1", "x-ALSO: 2", "X-Also: 3", "X-Keep: 4",
            "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", "TE: gzip", "HTTP2-Settings: AAAA",
            "Upgrade: h2c", "Connection: upgrade, http2-settings", "Trailer: X-T",
        ]
        #expect(
            reading("GET / HTTP/1.1\r\nHost: a\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n") == """
                request GET / HTTP/1.1
                  Host: a
                  X-Keep: 4
                  Trailer: X-T
                end
                """)
    }

    @Test("Connection cannot take out what frames or routes the message")
    func protectedFields() {
        let text =
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: host, content-length, expect\r\n\r\nok"
        #expect(
            reading(text) == """
                request POST / HTTP/1.1 length=2
                  Host: a
                  Content-Length: 2
                body ok
                end
                """)
    }

    @Test(
        "TE is reduced to what is passed on: trailers",
        arguments: ["trailers", "gzip, Trailers", "deflate;q=0.5 ,trailers"])
    func trailersWanted(value: String) {
        let text = reading("GET / HTTP/1.1\r\nHost: a\r\nTE: \(value)\r\nConnection: TE\r\n\r\n")
        #expect(text == "request GET / HTTP/1.1\n  Host: a\n  Te: trailers\nend")
    }

    @Test("Trailers that may come late are passed on, those that may not are dropped")
    func trailers() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(
            reading(head + "2\r\nok\r\n0\r\nX-T: 1\r\nContent-Length: 5\r\nAuthorization: x\r\nGrpc-Status: 0\r\n\r\n")
                == """
                request POST / HTTP/1.1 length=?
                  Host: a
                body ok
                trailers
                  X-T: 1
                  Grpc-Status: 0
                end
                """)
        #expect(reading(head + "0\r\nHost: b\r\n\r\n").hasSuffix("  Host: a\nend"))
        let dropped = reading(head + "2\r\nok\r\n0\r\nX-T: 1\r\n\r\n") { $0.trailers = false }
        #expect(dropped.hasSuffix("body ok\nend"))
    }

    @Test(
        "One or two empty lines in front of a request are dropped, and begin nothing", arguments: ["\r\n", "\r\n\r\n"])
    func emptyLines(lines: String) {
        #expect(reading(lines + "GET / HTTP/1.1\r\nHost: a\r\n\r\n") == "request GET / HTTP/1.1\n  Host: a\nend")
        #expect(reading(lines, ends: true) == "close")
        let bench = ServerBench(makeServer())
        bench.receive(lines)
        #expect(bench.connection.openStreams == 0)
        #expect(bench.connection.timerDelay == .seconds(3600))
    }

    @Test("A client that waits for 100 is known to wait, one of HTTP/1.0 cannot")
    func expectations() {
        let rest = "Host: a\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\nok"
        #expect(
            reading("POST / HTTP/1.1\r\n" + rest) == """
                request POST / HTTP/1.1 length=2 expects-continue
                  Host: a
                  Content-Length: 2
                  Expect: 100-Continue
                body ok
                end
                """)
        #expect(
            reading("POST / HTTP/1.0\r\n" + rest) == """
                request POST / HTTP/1.0 length=2
                  Host: a
                  Content-Length: 2
                body ok
                end
                """)
    }

    @Test("HTTP/1.0 needs no Host, and is not kept unless it asks")
    func oldVersion() {
        #expect(reading("GET / HTTP/1.0\r\n\r\nGET /2 HTTP/1.0\r\n\r\n") == "request GET / HTTP/1.0\nend")
        #expect(
            reading("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n")
                == "request GET / HTTP/1.0\nend\nrequest GET /2 HTTP/1.0\nend")
    }

    @Test("A target with scheme and host is taken apart; its host is the one that counts")
    func absoluteForm() {
        #expect(
            reading("GET http://b.test:8080/x?y=//. HTTP/1.1\r\nHost: a\r\n\r\n")
                == "request GET /x?y=//. HTTP/1.1\n  Host: b.test:8080\nend")
        #expect(reading("GET HTTP://b HTTP/1.1\r\nHost: a\r\n\r\n") == "request GET / HTTP/1.1\n  Host: b\nend")
        #expect(reading("GET http://b?q HTTP/1.1\r\nHost: a\r\n\r\n") == "request GET /?q HTTP/1.1\n  Host: b\nend")
        #expect(reading("GET http://b/p/../q HTTP/1.0\r\n\r\n") == "request GET /q HTTP/1.0\n  Host: b\nend")
        #expect(reading("OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n") == "request OPTIONS * HTTP/1.1\n  Host: b\nend")
        #expect(
            reading("OPTIONS http://b/ HTTP/1.1\r\nHost: a\r\n\r\n") == "request OPTIONS / HTTP/1.1\n  Host: b\nend")
        #expect(reading("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n") == "request OPTIONS * HTTP/1.1\n  Host: a\nend")
    }

    @Test("A target with https is served where TLS ended here")
    func absoluteFormWithTLS() {
        #expect(
            reading("GET https://b/x HTTP/1.1\r\nHost: a\r\n\r\n", isTLS: true)
                == "request GET /x HTTP/1.1\n  Host: b\nend")
    }

    @Test(
        "Hosts that may be",
        arguments: [
            "a", "a.b", "A.b-c_d", "1.2.3.4", "a:1", "a:65535", "[::1]", "[::1]:80", "[2001:db8::192.0.2.1]", "a%20b",
            "a;b=c",
        ])
    func hosts(host: String) {
        #expect(reading("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n") == "request GET / HTTP/1.1\n  Host: \(host)\nend")
    }
}
