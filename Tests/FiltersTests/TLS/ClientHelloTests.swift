import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("The first message of a client of TLS") struct ClientHelloTests {
    /// What a reader says of bytes that come in these pieces.
    private func answer(_ pieces: [[UInt8]]) -> String {
        var reader = ClientHelloReader()
        for piece in pieces {
            switch unsafe reader.read(piece.span.bytes) {
            case .needMore: continue
            case .notTLS: return "no TLS"
            case .malformed(let problem): return "\(problem.reason)"
            case .hello(let hello):
                return "\(hello.serverName ?? "-") \(hello.applicationProtocols.joined(separator: ","))"
            }
        }
        return "more"
    }

    private func answer(_ hello: HelloBytes) -> String { answer([hello.record]) }

    private func named(_ name: String) -> String {
        var hello = HelloBytes()
        hello.extensions = [HelloBytes.serverName(name)]
        return answer(hello)
    }

    /// What browsers send: unknown types, an encrypted inner hello, a key of more than a thousand bytes.
    private var browser: HelloBytes {
        var hello = HelloBytes()
        hello.sessionID = Array(repeating: 9, count: 32)
        hello.suites = [0x0A, 0x0A] + hello.suites
        hello.extensions = [
            (0x1A1A, []), (0xFE0D, Array(repeating: 0x5A, count: 186)), (51, Array(repeating: 3, count: 1263)),
            HelloBytes.protocols(["\u{0}grease", "h2", "http/1.1"]), (43, [6, 0x2A, 0x2A, 3, 4, 3, 3]),
            HelloBytes.serverName("Shop.Example.COM"), (0xBABA, [0]), (21, Array(repeating: 0, count: 40)),
        ]
        return hello
    }

    // MARK: Good ones

    @Test("is the same in however many pieces it comes", arguments: ["tls13", "tls12", "nameless", "browser", "small"])
    func splits(name: String) {
        let known: (bytes: [UInt8], answer: String) =
            switch name {
            case "tls13": (RealHellos.tls13, "api.example.com h2,http/1.1")
            case "tls12": (RealHellos.tls12, "www.example.com ")
            case "nameless": (RealHellos.nameless, "- http/1.1")
            case "browser": (browser.record, "shop.example.com \u{0}grease,h2,http/1.1")
            default: (browser.records(of: 1), "shop.example.com \u{0}grease,h2,http/1.1")
            }
        // What follows is not looked at.
        let result = Splitter(known.bytes + [0xFF, 0xFF]).run { answer($0) }
        #expect(result.whole == known.answer)
        #expect(result.difference == nil)
        #expect(answer([Array(known.bytes.dropLast())]) == "more")
    }

    @Test("may be spread over records of any size", arguments: [1, 2, 3, 4, 5, 100, 1000]) func records(size: Int) {
        #expect(answer([browser.records(of: size)]) == answer(browser))
    }

    @Test("may have no extensions") func noExtensions() {
        var hello = HelloBytes()
        hello.extensions = nil
        #expect(answer(hello) == "- ")
        hello.extensions = []
        #expect(answer(hello) == "- ")
    }

    // MARK: Names

    @Test("has its name in lower case, without a dot at its end") func names() {
        #expect(named("EXAMPLE.org") == "example.org ")
        #expect(named("example.org.") == "example.org ")
        #expect(named("localhost") == "localhost ")
        #expect(named("_dmarc.1.example-2.org") == "_dmarc.1.example-2.org ")
        let longest = Array(repeating: String(repeating: "a", count: 49), count: 5).joined(separator: ".") + ".org"
        #expect(longest.utf8.count == 253)
        #expect(named(longest) == longest + " ")
        #expect(named(longest + ".") == longest + " ")
    }

    @Test(
        "asks for no name where it is none",
        arguments: [
            "192.0.2.1", "2001:db8::1", "[::1]", ".", "a..b", ".a", "a\u{0}.example.org", "a b", "bücher.example",
            "example.org..", "*.example.org", "a/b", "example.org:443", "12345",
            String(repeating: "a", count: 64) + ".org", String(repeating: "a.", count: 127) + "aa",
        ]) func noNames(name: String)
    { #expect(named(name) == "- ") }

    // MARK: No TLS

    @Test("is told from what is no TLS at its first bytes") func notTLS() {
        for text in ["GET / HTTP/1.1\r\n", "PRI * HTTP/2.0", "SSH-2.0-x", "\u{0}", "\u{16}\u{2}", "\u{15}\u{3}\u{1}"] {
            #expect(answer([Array(text.utf8)]) == "no TLS")
        }
        // The hello of SSL 2.
        #expect(answer([[0x80, 0x2E, 1, 3, 1]]) == "no TLS")
        #expect(answer([[0x16]]) == "more")
        #expect(answer([[0x16], [3]]) == "more")
        #expect(answer([[0x16], [4]]) == "no TLS")
        #expect(answer([[]]) == "more")
    }

    // MARK: Bad ones

    @Test("is refused where it is too long") func tooLong() {
        #expect(answer([[22, 3, 1, 0x40, 0x01]]) == "a record is too long")
        #expect(answer([HelloBytes.record([1, 0, 0x40, 0x01])]) == "the client hello is too long")
        #expect(answer([HelloBytes.record([1, 0xFF, 0xFF, 0xFF])]) == "the client hello is too long")
        var hello = HelloBytes()
        hello.extensions = [(21, Array(repeating: 0, count: 12_000))]
        #expect(answer([hello.records(of: 1)]) == "the client hello is spread over too many bytes")
        #expect(answer([hello.records(of: 3000)]) == "- ")
    }

    @Test("is refused where empty records do not end") func emptyRecords() {
        let empty = HelloBytes.record([])
        #expect(answer([Array(repeating: empty, count: 32).flatMap { $0 } + browser.record]) == answer(browser))
        #expect(answer([Array(repeating: empty, count: 33).flatMap { $0 }]) == "too many records are empty")
    }

    @Test("is refused where something else comes in its middle") func otherRecords() {
        let start = Array(browser.records(of: 100)[..<105])
        #expect(answer([start + [21, 3, 1, 0, 2, 1, 0]]) == "something comes in the middle of the client hello")
        #expect(answer([start + [22, 2]]) == "something comes in the middle of the client hello")
        var other = browser
        other.type = 2
        #expect(answer(other) == "the handshake begins with no client hello")
    }

    @Test("is refused where its parts do not fit") func parts() {
        func refusal(_ change: (inout HelloBytes) -> Void) -> String {
            var hello = HelloBytes()
            change(&hello)
            return answer(hello)
        }
        let cut = "a length in the client hello is too large"
        #expect(refusal { $0.sessionID = Array(repeating: 1, count: 33) } == "the session's id is too long")
        #expect(refusal { $0.suites = [] } == "the list of cipher suites is broken")
        #expect(refusal { $0.suites = [1, 2, 3] } == "the list of cipher suites is broken")
        #expect(refusal { $0.compressions = [] } == "the list of compressions is empty")
        #expect(refusal { $0.afterExtensions = [0] } == "something follows the extensions")
        #expect(
            refusal {
                $0.extensions = nil
                $0.afterExtensions = [0, 9, 0, 0, 0, 0]
            } == cut)
        #expect(
            refusal {
                $0.extensions = nil
                $0.afterExtensions = [0, 4, 0, 5, 0, 1]
            } == cut)
        #expect(answer([HelloBytes.record([1, 0, 0, 2, 3, 3])]) == cut)
    }

    @Test("is refused where its names could be read in two ways") func twoWays() {
        func refusal(_ extensions: (type: Int, content: [UInt8])...) -> String {
            var hello = HelloBytes()
            hello.extensions = extensions
            return answer(hello)
        }
        let name = HelloBytes.serverName("a.example")
        let twice = HelloBytes.vector(Array(name.content.dropFirst(2)) + [0, 0, 1, 0x62], 2)
        #expect(refusal(name, name) == "there are two lists of server names")
        #expect(refusal((0, twice)) == "there is more than one server name")
        #expect(refusal((0, name.content + [0])) == "there is more than one server name")
        #expect(refusal(HelloBytes.serverName([])) == "the server name is empty")
        #expect(refusal(HelloBytes.serverName([0x61], kind: 1)) == "a server name is of an unknown kind")
        #expect(refusal((0, [])) == "a length in the client hello is too large")
        #expect(refusal((0, [0, 4, 0, 0, 9, 0x61])) == "a length in the client hello is too large")
        let protocols = HelloBytes.protocols(["h2"])
        #expect(refusal(protocols, protocols) == "there are two lists of protocols")
        #expect(refusal(HelloBytes.protocols([])) == "the list of protocols is broken")
        #expect(refusal(HelloBytes.protocols(["h2", ""])) == "the name of a protocol is empty")
        #expect(refusal((16, protocols.content + [0])) == "the list of protocols is broken")
        #expect(refusal(HelloBytes.protocols(Array(repeating: "x", count: 65))) == "too many protocols are offered")
    }

    @Test("never makes the reader fail, whatever byte of it is another") func mutations() {
        for bytes in [RealHellos.tls13, RealHellos.tls12, browser.records(of: 7)] {
            for index in bytes.indices {
                for value: UInt8 in [0, 1, 0x7F, 0xFF, bytes[index] ^ 0x80] {
                    var other = bytes
                    other[index] = value
                    _ = answer([other])
                }
            }
        }
    }
}
