import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("Responses of upstreams, as filters see them")
struct ResponseReadingTests {
    @Test(
        "Where a body ends, and whether the connection is kept",
        arguments: [
            ("Content-Length: 2\r\n\r\nok", "length=2\n  Content-Length: 2\nbody ok\nend\nkept"),
            ("Content-Length: 0\r\n\r\n", "length=0\n  Content-Length: 0\nend\nkept"),
            ("Content-Length: 2\r\nConnection: close\r\n\r\nok", "length=2\n  Content-Length: 2\nbody ok\nend"),
            (
                "Content-Length: 2\r\nConnection: keep-alive\r\n\r\nok",
                "length=2\n  Content-Length: 2\nbody ok\nend\nkept"
            ),
            ("Content-Length: 2\r\n\r\nokjunk", "length=2\n  Content-Length: 2\nbody ok\nend"),
            ("Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "length=?\nbody ok\nend\nkept"),
            ("Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n1\r\n!\r\n0\r\n\r\n", "length=?\nbody ok!\nend\nkept"),
            ("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "length=?\nend\nkept"),
            ("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\njunk", "length=?\nend"),
            (
                "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\nSet-Cookie: x\r\n\r\n",
                "length=?\nbody ok\ntrailers\n  X-T: 1\nend\nkept"
            ),
            (
                "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nContent-Length: 9\r\n\r\n",
                "length=?\nbody ok\nend\nkept"
            ),
        ])
    func framing(rest: String, expected: String) {
        #expect(receiving("HTTP/1.1 200 OK\r\n" + rest) == "response 200 HTTP/1.1 " + expected)
    }

    @Test("A body without a length ends with the connection")
    func untilClose() {
        #expect(
            receiving("HTTP/1.1 200 OK\r\n\r\nhello", ends: true) == "response 200 HTTP/1.1 length=?\nbody hello\nend")
        #expect(receiving("HTTP/1.1 200 OK\r\n\r\n", ends: true) == "response 200 HTTP/1.1 length=?\nend")
        #expect(receiving("HTTP/1.1 200 OK\r\n\r\nhello") == "response 200 HTTP/1.1 length=?\nbody hello")
        #expect(
            receiving("HTTP/1.0 200 OK\r\n\r\nhello", ends: true) == "response 200 HTTP/1.0 length=?\nbody hello\nend")
    }

    @Test("HTTP/1.0 is kept only where it says so")
    func oldVersion() {
        let rest = "Content-Length: 2\r\n\r\nok"
        let expected = "response 200 HTTP/1.0 length=2\n  Content-Length: 2\nbody ok\nend"
        #expect(receiving("HTTP/1.0 200 OK\r\n" + rest) == expected)
        #expect(receiving("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + rest) == expected + "\nkept")
    }

    @Test(
        "What has no body ends with its head",
        arguments: [
            ("204 No Content", "", "", ""), ("204 No Content", "Content-Length: 5\r\n", "", ""),
            ("204 No Content", "Transfer-Encoding: chunked\r\n", "", ""),
            ("304 Not Modified", "Content-Length: 10\r\n", "", "\n  Content-Length: 10"),
            ("304 Not Modified", "Transfer-Encoding: chunked\r\n", "", ""),
            ("200 OK", "Content-Length: 10\r\n", "HEAD", "\n  Content-Length: 10"),
            ("200 OK", "Transfer-Encoding: chunked\r\n", "HEAD", ""), ("200 OK", "", "HEAD", ""),
        ])
    func bodiless(status: String, fields: String, method: String, seen: String) {
        let text = receiving("HTTP/1.1 \(status)\r\n\(fields)\r\n", to: method.isEmpty ? "GET" : method)
        #expect(text == "response \(status.prefix(3)) HTTP/1.1\(seen)\nend\nkept")
    }

    @Test("A reason may be missing, and is not looked at")
    func reasons() {
        for line in ["HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.1 200 \u{e9} any", "HTTP/1.1 200 a  b"] {
            #expect(
                receiving(line + "\r\nContent-Length: 0\r\n\r\n")
                    == "response 200 HTTP/1.1 length=0\n  Content-Length: 0\nend\nkept")
        }
    }

    @Test("Answers before the answer are passed on, but 100 only to who waits for it")
    func interim() {
        let last = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        let expected = "response 200 HTTP/1.1 length=0\n  Content-Length: 0\nend\nkept"
        #expect(receiving("HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" + last) == "interim dropped\n" + expected)
        #expect(
            receiving("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 5\r\nConnection: x\r\n\r\n" + last)
                == "interim 103 HTTP/1.1\n  Link: </a>\n" + expected)
        let waiting = receiving("HTTP/1.1 100 Continue\r\n\r\n" + last) { bench in
            var head = RequestHead.fake("POST", fields: ["Content-Length": "2", "Expect": "100-continue"])
            head.expectsContinue = true
            bench.request(head, last: false)
            bench.requestBody("ok", last: true)
        }
        #expect(waiting == "interim 100 HTTP/1.1\n" + expected)
    }

    @Test("Too many answers before the answer are a fault")
    func tooManyInterim() {
        let text = String(repeating: "HTTP/1.1 102 Processing\r\n\r\n", count: 17)
        #expect(receiving(text).hasSuffix("fault upstreamProtocol http1.too_many_interim_responses"))
        #expect(!receiving(String(text.prefix(16 * 14))).contains("fault"))
    }

    @Test("Fields of one hop are not passed on")
    func hopByHop() {
        let fields = [
            "Connection: X-Hop, x-two", "X-Hop: 1", "X-Two: 2", "Keep-Alive: timeout=1", "Proxy-Connection: x",
            "Proxy-Authenticate: Basic", "Upgrade: h2c", "TE: trailers", "X-Stays: 1", "Content-Length: 0",
        ]
        #expect(
            receiving("HTTP/1.1 200 OK\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n")
                == "response 200 HTTP/1.1 length=0\n  X-Stays: 1\n  Content-Length: 0\nend\nkept")
        #expect(
            receiving("HTTP/1.1 407 Auth\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")
                .contains("Proxy-Authenticate: Basic"))
    }

    @Test("An upgrade that was asked for becomes a tunnel; the bytes behind the head are the first in it")
    func upgrade() {
        let text = receiving("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nab", ends: true) {
            bench in
            var head = RequestHead.fake(fields: ["Upgrade": "x"])
            head.wantsUpgrade = true
            bench.request(head, last: false)
        }
        #expect(text == "response 101 HTTP/1.1 length=?\n  Upgrade: x\nbody ab\nend")
        let declined = receiving("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") { bench in
            var head = RequestHead.fake(fields: ["Upgrade": "x"])
            head.wantsUpgrade = true
            bench.request(head, last: false)
            bench.requestBody("", last: true)
        }
        #expect(declined == "response 200 HTTP/1.1 length=2\n  Content-Length: 2\nbody ok\nend\nkept")
    }

    @Test("CONNECT is answered as soon as there is a connection; all that the upstream says is in the tunnel")
    func connect() {
        func answer(_ text: String) -> String {
            receiving(text, ends: true) { $0.request(.fake("CONNECT", "b.test:443", host: "b.test:443"), last: false) }
        }
        #expect(answer("ab") == "response 200 HTTP/1.1 length=?\nbody ab\nend")
        #expect(answer("HTTP/1.1 403 No") == "response 200 HTTP/1.1 length=?\nbody HTTP/1.1 403 No\nend")
    }

    @Test("Several answers follow each other on one connection")
    func again() {
        let bench = ClientBench(makeClient())
        for _ in 0..<3 {
            #expect(bench.freeStreams == 1)
            bench.request(.fake())
            #expect(bench.freeStreams == 0)
            bench.receive("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n")
            #expect(bench.isReusable)
        }
        let one = "response 200 HTTP/1.1 length=?\nbody ok\ntrailers\n  X: y\nend"
        #expect(bench.transcript.description == [one, one, one].joined(separator: "\n"))
    }

    @Test("An answer before the request's end is passed on, and the connection is not kept")
    func early() {
        let bench = ClientBench(makeClient())
        bench.request(.fake("POST", fields: ["Content-Length": "100"]), last: false)
        bench.requestBody("abc")
        bench.receive("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        #expect(bench.transcript.description.hasSuffix("\nend"))
        #expect(!bench.isReusable)
    }
}

@Suite("Responses that are refused, and why")
struct ResponseRefusalTests {
    @Test(
        "Heads",
        arguments: [
            ("200 OK\r\n", "bad_status_line"), ("220 mail.example ESMTP\r\n", "bad_status_line"),
            ("SSH-2.0-x\r\n", "bad_status_line"), ("\r\nHTTP/1.1 200 OK\r\n", "empty_lines"),
            ("HTTP/2.0 200 OK\r\n", "version_not_supported"), ("HTTP/1.2 200 OK\r\n", "version_not_supported"),
            ("http/1.1 200 OK\r\n", "bad_version"), ("HTTP/1.1 20 OK\r\n", "bad_status"),
            ("HTTP/1.1 2000 OK\r\n", "bad_status_line"), ("HTTP/1.1 099 x\r\n", "bad_status"),
            ("HTTP/1.1 600 x\r\n", "bad_status"), ("HTTP/1.1 abc OK\r\n", "bad_status"),
            ("HTTP/1.1 -20 OK\r\n", "bad_status"), ("HTTP/1.1  200 OK\r\n", "bad_status"),
            ("HTTP/1.1 200OK\r\n", "bad_status_line"), ("HTTP/1.1 200 O\u{1}K\r\n", "bad_reason"),
            ("HTTP/1.1 200 OK\n", "bare_lf"), ("HTTP/1.1 200 OK\r\nX: a\n", "bare_lf"),
            ("HTTP/1.1 200 OK\r\nX: a\r\n b\r\n", "folded_field"),
            ("HTTP/1.1 200 OK\r\nX : a\r\n", "space_before_colon"),
            ("HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: e=1\r\n", "bad_value"), ("HTTP/1.1 200 OK\r\njunk\r\n", "no_colon"),
            ("HTTP/1.1 200 OK\r\n: a\r\n", "empty_name"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n", "differing_content_lengths"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n", "repeated_content_length"),
            ("HTTP/1.1 200 OK\r\nContent-Length: +2\r\n", "bad_content_length"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551618\r\n", "bad_content_length"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n", "unknown_transfer_encoding"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                "repeated_transfer_encoding"
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
                "length_and_transfer_encoding"
            ),
            ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "transfer_encoding_on_http10"),
            ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "unexpected_101"),
        ])
    func heads(text: String, reason: String) {
        #expect(receiving(text) == "fault upstreamProtocol http1." + reason)
    }

    @Test(
        "Chunks",
        arguments: [
            ("ZZ\r\n", "bad_chunk_size"), ("2\nok", "bad_chunk_size"), ("0\r\n\n", "bare_lf"),
            ("ffffffffffffffff\r\n", "chunk_too_large"),
        ])
    func chunks(rest: String, reason: String) {
        let text = receiving("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n" + rest)
        #expect(text == "response 200 HTTP/1.1 length=?\nbody ok\nfault upstreamProtocol http1." + reason)
    }

    @Test("Limits of the head")
    func limits() {
        let long = "HTTP/1.1 200 OK\r\nX: " + String(repeating: "a", count: 61 * 1024)
        #expect(receiving(long) == "fault upstreamProtocol http1.response_head_too_large")
        let many = "HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 101)
        #expect(receiving(many) == "fault upstreamProtocol http1.too_many_fields")
    }

    @Test("A name that would not fit the table of fields is refused, whatever the limit")
    func longName() {
        let bench = ClientBench(makeClient { $0.maxHead = .mebibytes(1) })
        bench.request(.fake())
        bench.receive("HTTP/1.1 200 OK\r\n" + String(repeating: "n", count: 65_536 + 5) + ": v\r\n\r\n")
        #expect(bench.transcript.description == "fault upstreamProtocol http1.field_too_large")
    }

    @Test("An upstream that ends too early says so, and only before its answer may the request be tried again")
    func cutShort() {
        #expect(receiving("", ends: true) == "reset upstreamClosed upstream.closed")
        #expect(receiving("HTTP/1.1 200 OK\r\nX", ends: true) == "reset upstreamProtocol http1.response_head_cut_short")
        for (rest, body) in [
            ("Content-Length: 5\r\n\r\n", ""), ("Content-Length: 5\r\n\r\nhell", "body hell\n"),
            ("Transfer-Encoding: chunked\r\n\r\n5", ""), ("Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", "body ok\n"),
            ("Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n", "body ok\n"),
        ] {
            let text = receiving("HTTP/1.1 200 OK\r\n" + rest, ends: true)
            #expect(text.hasSuffix("\n\(body)reset upstreamClosed upstream.body_cut_short"), "\(rest)")
        }
    }
}
