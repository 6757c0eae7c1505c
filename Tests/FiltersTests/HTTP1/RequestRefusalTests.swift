import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("Requests that are refused, and why")
struct RequestRefusalTests {
    /// The last line of what the codec says is the fault, and nothing was passed on.
    private func refusal(_ text: String, _ edit: (inout ServerSettings) -> Void = { _ in }) -> String {
        reading(text, ends: false, edit)
    }

    @Test(
        "First lines",
        arguments: [
            ("GET / HTTP/1.1\nHost: a\n\n", "badRequest http1.bare_lf"),
            ("\nGET / HTTP/1.1\r\n", "badRequest http1.bare_lf"),
            ("\rGET / HTTP/1.1\r\n", "badRequest http1.bare_cr"),
            ("\r\n\r\n\r\nGET / HTTP/1.1\r\n", "badRequest http1.empty_lines"),
            ("GET / HTTP/1.1\rHost: a\r\n", "badRequest http1.bad_version"),
            ("GET /\rx HTTP/1.1\r\n", "badRequest http1.bad_target"),
            (" GET / HTTP/1.1\r\n", "badRequest http1.not_http"),
            ("\u{16}\u{3}\u{1}\u{0}\u{5}", "badRequest http1.not_http"),
            ("G(T / HTTP/1.1\r\n", "badRequest http1.bad_method"), ("x=1", "badRequest http1.bad_method"),
            ("GET\t/ HTTP/1.1\r\n", "badRequest http1.bad_method"),
            ("GET\r\n", "badRequest http1.bad_method"),
            ("GET  / HTTP/1.1\r\n", "badRequest http1.no_target"),
            ("GET /\r\n", "badRequest http1.no_version"),
            ("GET / \r\n", "badRequest http1.bad_version"),
            ("GET / HTTP/1.1 \r\n", "badRequest http1.bad_version"),
            ("GET / HTTP/1.\r\n", "badRequest http1.bad_version"),
            ("GET / HTTP/1,1\r\n", "badRequest http1.bad_version"),
            ("GET / HTTP/01.1\r\n", "badRequest http1.bad_version"),
            ("GET / http/1.1\r\n", "badRequest http1.bad_version"),
            ("GET / HTTPS1.1\r\n", "badRequest http1.bad_version"),
            ("GET / HTTP/1.2\r\n", "versionNotSupported http1.version_not_supported"),
            ("GET / HTTP/2.0\r\n", "versionNotSupported http1.version_not_supported"),
            ("GET / HTTP/0.9\r\n", "versionNotSupported http1.version_not_supported"),
            ("GET /a b HTTP/1.1\r\n", "badRequest http1.bad_version"),
            ("GET /a#b HTTP/1.1\r\n", "badRequest http1.bad_target"),
            ("GET /a?b#c HTTP/1.1\r\n", "badRequest http1.bad_target"),
            ("GET /a?b\u{7F} HTTP/1.1\r\n", "badRequest http1.bad_target"),
            ("GET /\u{e9} HTTP/1.1\r\n", "badRequest http1.bad_target"),
            ("GET /a\\b HTTP/1.1\r\n", "badRequest http1.bad_target"),
            (String(repeating: "A", count: 33) + " / HTTP/1.1\r\n", "badRequest http1.method_too_long"),
            (String(repeating: "A", count: 33), "badRequest http1.method_too_long"),
            (String(repeating: "A", count: 10_000) + "(\r\n", "badRequest http1.method_too_long"),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "versionNotSupported http1.version_not_supported"),
        ])
    func firstLines(text: String, fault: String) {
        #expect(refusal(text) == "fault " + fault)
    }

    @Test(
        "Targets and hosts",
        arguments: [
            ("GET", "x", "a", "bad_target"), ("GET", "?x", "a", "bad_target"), ("GET", "*", "a", "asterisk_target"),
            ("OPTIONS", "*/x", "a", "asterisk_target"), ("GET", "ftp://a/x", "a", "bad_target"),
            ("GET", "http:///x", "a", "bad_host"), ("GET", "http://u@a/x", "a", "bad_host"),
            ("GET", "http://a:0/x", "a", "bad_host"), ("GET", "a:80", "a", "bad_target"),
            ("CONNECT", "/", "a", "bad_connect_target"), ("CONNECT", "a", "a", "bad_connect_target"),
            ("CONNECT", "a:", "a", "bad_connect_target"), ("CONNECT", "[::1]", "a", "bad_connect_target"),
            ("CONNECT", "http://a:1/", "a", "bad_connect_target"),
            ("GET", "/", "", "bad_host"), ("GET", "/", "a b", "bad_host"), ("GET", "/", "a/b", "bad_host"),
            ("GET", "/", "u@a", "bad_host"), ("GET", "/", "a:x", "bad_host"), ("GET", "/", "a:65536", "bad_host"),
            ("GET", "/", "a:0", "bad_host"), ("GET", "/", "a:", "bad_host"), ("GET", "/", ":80", "bad_host"),
            ("GET", "/", "a:1:2", "bad_host"), ("GET", "/", "a,b", "bad_host"), ("GET", "/", "[::1", "bad_host"),
            ("GET", "/", "[::1]x", "bad_host"), ("GET", "/", "[1.2.3.4]", "bad_host"), ("GET", "/", "[]", "bad_host"),
            ("GET", "/", "[::g]", "bad_host"), ("GET", "/", "::1", "bad_host"),
            ("GET", "/", String(repeating: "a", count: 256), "bad_host"),
            ("GET", "/%zz", "a", "bad_escape"), ("GET", "/%4", "a", "bad_escape"), ("GET", "/%", "a", "bad_escape"),
            ("GET", "/a%00", "a", "escaped_nul"), ("GET", "/a%2fb", "a", "escaped_slash"),
            ("GET", "/a%5Cb", "a", "escaped_slash"), ("GET", "http://a/%2F", "a", "escaped_slash"),
        ])
    func targets(method: String, target: String, host: String, reason: String) {
        let text = "\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n"
        #expect(refusal(text) == "fault badRequest http1." + reason)
    }

    @Test("A target with https in clear text was meant for somebody else")
    func misdirected() {
        #expect(
            refusal("GET https://a/x HTTP/1.1\r\nHost: a\r\n\r\n") == "fault misdirected http1.https_target")
    }

    @Test(
        "Fields",
        arguments: [
            ("Host : a\r\n\r\n", "space_before_colon"), ("X\t: a\r\n\r\n", "space_before_colon"),
            (" Host: a\r\n\r\n", "folded_field"), ("X: a\r\n b\r\n\r\n", "folded_field"),
            ("X: a\r\n\tb\r\n\r\n", "folded_field"), ("nocolon\r\n\r\n", "no_colon"), (": a\r\n\r\n", "empty_name"),
            ("X(Y): a\r\n\r\n", "bad_name"), ("X\u{0}: a\r\n\r\n", "bad_name"), ("\u{e9}: a\r\n\r\n", "bad_name"),
            ("X: a\u{0}b\r\n\r\n", "bad_value"), ("X: a\u{1}\r\n\r\n", "bad_value"),
            ("X: 0123456789abcdef\u{7F}\r\n\r\n", "bad_value"), ("X: a\rb\r\n\r\n", "bad_value"),
            ("X: a\r\r\n\r\n", "bad_value"), ("X: a\nY: b\r\n\r\n", "bare_lf"), ("\rX: a\r\n\r\n", "bad_name"),
            ("\r\r\n", "bad_name"), ("Content\rLength: 5\r\n\r\n", "bad_name"), ("T\u{5}: x\r\n\r\n", "bad_name"),
            ("X\u{1}Forwarded-For: a\r\n\r\n", "bad_name"), ("X-Forwarded\rFor: a\r\n\r\n", "bad_name"),
            ("Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "differing_content_lengths"),
            ("Content-Length: 5\r\nContent-Length: 5\r\n\r\n", "repeated_content_length"),
            ("Content-Length: 5, 5\r\n\r\n", "bad_content_length"),
            ("Content-Length: +5\r\n\r\n", "bad_content_length"),
            ("Content-Length: -5\r\n\r\n", "bad_content_length"), ("Content-Length:\r\n\r\n", "bad_content_length"),
            ("Content-Length: 1 0\r\n\r\n", "bad_content_length"),
            ("Content-Length: 0x5\r\n\r\n", "bad_content_length"),
            ("Content-Length: 9223372036854775808\r\n\r\n", "bad_content_length"),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "length_and_transfer_encoding"),
            ("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", "length_and_transfer_encoding"),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "repeated_transfer_encoding"),
            ("Transfer-Encoding:\r\n\r\n", "bad_transfer_encoding"),
            ("Transfer-Encoding: chunked,\r\n\r\n", "bad_transfer_encoding"),
            ("Transfer-Encoding: identity\r\n\r\n", "bad_transfer_encoding"),
            ("Transfer-Encoding: chunked, gzip\r\n\r\n", "bad_transfer_encoding"),
            ("Transfer-Encoding: chunked, chunked\r\n\r\n", "bad_transfer_encoding"),
            (
                "Host: a\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 1\r\n\r\n",
                "length_and_transfer_encoding"
            ),
            ("Transfer-Encoding: ,chunked\r\n\r\n", "bad_transfer_encoding"),
            ("Transfer-Encoding: \"chunked\"\r\n\r\n", "bad_transfer_encoding"),
            ("Transfer-Encoding: chunked;a=b\r\n\r\n", "bad_transfer_encoding"),
            ("Connection: " + String(repeating: "a,", count: 65) + "\r\n\r\n", "too_many_connection_options"),
        ])
    func fields(rest: String, reason: String) {
        #expect(refusal("GET / HTTP/1.1\r\n" + rest) == "fault badRequest http1." + reason)
    }

    @Test(
        "Fields whose fault has a status of its own",
        arguments: [
            ("Transfer-Encoding: gzip, chunked\r\n\r\n", "notImplemented http1.unknown_transfer_encoding"),
            ("Transfer-Encoding: identity, CHUNKED\r\n\r\n", "notImplemented http1.unknown_transfer_encoding"),
            ("Expect: 200-ok\r\n\r\n", "expectationFailed http1.unknown_expectation"),
            ("Expect: 100-continue, x\r\n\r\n", "expectationFailed http1.unknown_expectation"),
        ])
    func otherFaults(rest: String, fault: String) {
        #expect(refusal("POST / HTTP/1.1\r\nHost: a\r\n" + rest) == "fault " + fault)
    }

    @Test("Host is there once, and a body by chunks is not of HTTP/1.0")
    func whole() {
        #expect(refusal("GET / HTTP/1.1\r\n\r\n") == "fault badRequest http1.no_host")
        #expect(refusal("GET http://a/ HTTP/1.1\r\n\r\n") == "fault badRequest http1.no_host")
        #expect(refusal("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n") == "fault badRequest http1.repeated_host")
        #expect(refusal("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n") == "fault badRequest http1.repeated_host")
        #expect(
            refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")
                == "fault badRequest http1.transfer_encoding_on_http10")
    }

    @Test("HTTP/1.0 is refused where the listener wants none")
    func oldVersion() {
        #expect(
            refusal("GET / HTTP/1.0\r\n\r\n") { $0.acceptHTTP10 = false }
                == "fault versionNotSupported http1.http10_not_accepted")
    }

    @Test(
        "Chunks: the fault comes after what was good",
        arguments: [
            ("5\nhello", "", "bad_chunk_size"), ("5\rhello", "", "bad_chunk_line_end"),
            ("0x5\r\n", "", "bad_chunk_size"),
            ("\r\n", "", "bad_chunk_size"), ("-0\r\n", "", "bad_chunk_size"), (" 5\r\n", "", "bad_chunk_size"),
            ("5 \r\n", "", "bad_chunk_size"), ("5Z\r\n", "", "bad_chunk_size"), ("5_\r\n", "", "bad_chunk_size"),
            ("5;a\nb\r\n", "", "bad_chunk_extension"), ("5;\u{0}\r\n", "", "bad_chunk_extension"),
            ("5;a\rb", "", "bad_chunk_line_end"),
            ("8000000000000000\r\n", "", "chunk_too_large"), ("ffffffffffffffff\r\n", "", "chunk_too_large"),
            ("10000000000000005\r\n", "", "chunk_too_large"), ("00000000000000001\r\n", "", "chunk_too_large"),
            ("5;" + String(repeating: "a", count: 256) + "\r\n", "", "chunk_extension_too_large"),
            ("5\r\nhelloX\r\n", "hello", "bad_chunk_end"), ("5\r\nhello\n", "hello", "bad_chunk_end"),
            ("5\r\nhello\rX", "hello", "bad_chunk_end"), ("5\r\nhello0\r\n", "hello", "bad_chunk_end"),
            ("0\r\n\n", "", "bare_lf"), ("0\r\nX : v\r\n", "", "space_before_colon"),
            ("0\r\nX: \u{0}\r\n", "", "bad_value"),
            ("0\r\n X: a\r\n", "", "folded_field"), ("0\r\nnope\r\n", "", "no_colon"),
        ])
    func chunks(rest: String, body: String, reason: String) {
        let text = refusal("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + rest)
        let bodyLine = body.isEmpty ? "" : "body \(body)\n"
        #expect(text == "request POST / HTTP/1.1 length=?\n  Host: a\n\(bodyLine)fault badRequest http1.\(reason)")
    }

    @Test("Many small chunks with long extensions are an attack")
    func extensions() {
        let chunk = "1;" + String(repeating: "x", count: 200) + "\r\na\r\n"
        let text = refusal(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + String(repeating: chunk, count: 100))
        #expect(text.hasSuffix("fault badRequest http1.chunk_extension_too_large"))
    }

    @Test("Limits of the head")
    func limits() {
        let start = "GET / HTTP/1.1\r\nHost: a\r\n"
        func small(_ settings: inout ServerSettings) {
            settings.maxHead = .kibibytes(2)
            settings.maxHeaders = 4
            settings.maxHeader = .bytes(300)
            settings.maxTarget = .bytes(100)
        }
        let field = { (count: Int) in "X: " + String(repeating: "a", count: count - 3) + "\r\n" }
        #expect(refusal(start + field(300) + "\r\n", small).hasSuffix("end"))
        #expect(refusal(start + field(301) + "\r\n", small) == "fault headTooLarge http1.field_too_large")
        #expect(refusal(start + "A: 1\r\nB: 2\r\nC: 3\r\n\r\n", small).hasSuffix("end"))
        #expect(
            refusal(start + "A: 1\r\nTE: x\r\nTE: y\r\nD: 4\r\n\r\n", small)
                == "fault headTooLarge http1.too_many_fields")
        #expect(refusal("GET /\(String(repeating: "a", count: 99)) HTTP/1.0\r\n\r\n", small).hasSuffix("end"))
        for count in [100, 140, 300, 3000] {
            #expect(
                refusal("GET /\(String(repeating: "a", count: count)) HTTP/1.0\r\n\r\n", small)
                    == "fault targetTooLong http1.target_too_long", "\(count)")
        }
        #expect(
            refusal("GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 3000), small)
                == "fault headTooLarge http1.head_too_large")
    }

    @Test("A head of just the limit is good, one byte more is not")
    func headLimit() {
        let start = "GET / HTTP/1.1\r\nHost: a\r\nX: "
        for (total, ending) in [(2048, "end"), (2049, "fault headTooLarge http1.head_too_large")] {
            let text = start + String(repeating: "x", count: total - start.utf8.count - 4) + "\r\n\r\n"
            #expect(refusal(text) { $0.maxHead = .kibibytes(2) }.hasSuffix(ending), "\(total)")
        }
    }

    @Test("A body above its limit is refused, by its length at once and in chunks where it gets there")
    func bodyLimit() {
        func small(_ settings: inout ServerSettings) { settings.maxBody = .bytes(4) }
        let start = "POST / HTTP/1.1\r\nHost: a\r\n"
        #expect(refusal(start + "Content-Length: 4\r\n\r\nabcd", small).hasSuffix("body abcd\nend"))
        #expect(refusal(start + "Content-Length: 5\r\n\r\n", small) == "fault bodyTooLarge http1.body_too_large")
        let chunked = start + "Transfer-Encoding: chunked\r\n\r\n"
        #expect(refusal(chunked + "4\r\nabcd\r\n0\r\n\r\n", small).hasSuffix("body abcd\nend"))
        #expect(
            refusal(chunked + "3\r\nabc\r\n2\r\nde\r\n", small).hasSuffix("fault bodyTooLarge http1.body_too_large"))
    }

    @Test("A client that ends its direction too early has gone")
    func cutShort() {
        let start = "POST / HTTP/1.1\r\nHost: a\r\n"
        #expect(reading("POST / HT", ends: true) == "reset clientGone client.closed_in_head")
        for (rest, body) in [
            ("Content-Length: 5\r\n\r\n", ""), ("Content-Length: 5\r\n\r\nhell", "body hell\n"),
            ("Transfer-Encoding: chunked\r\n\r\n", ""), ("Transfer-Encoding: chunked\r\n\r\n5", ""),
            ("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", "body hello\n"),
            ("Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n", ""),
        ] {
            let text = reading(start + rest, ends: true)
            #expect(text.contains("\n\(body)reset clientGone client.closed_in_body"), "\(rest)")
            #expect(!text.contains("\nend"))
        }
    }

    @Test("Names with an underscore are passed on, dropped or refused, as the listener says")
    func underscores() {
        let text = "GET / HTTP/1.1\r\nHost: a\r\nX_Real_IP: 1\r\nX-Y: 2\r\n\r\n"
        #expect(refusal(text) == "request GET / HTTP/1.1\n  Host: a\n  X_Real_IP: 1\n  X-Y: 2\nend")
        #expect(
            refusal(text) { $0.underscoresInHeaders = .drop } == "request GET / HTTP/1.1\n  Host: a\n  X-Y: 2\nend")
        #expect(
            refusal(text) { $0.underscoresInHeaders = .reject } == "fault badRequest http1.underscore_in_name")
    }
}
