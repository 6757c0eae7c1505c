import FilterTesting
import Testing

@testable import proxy_protocol

/// Reads bytes in pieces: what the header says, and what is left behind it.
func outcome(_ pieces: [[UInt8]], _ rules: HeaderReader.Rules = .init()) -> String {
    var reader = HeaderReader(rules)
    var result = HeaderReader.Result.needMore
    var rest: [UInt8] = []
    for piece in pieces {
        guard result == .needMore else {
            rest += piece
            continue
        }
        let (next, used) = reader.take(piece.count) { piece[$0] }
        result = next
        rest += piece[used...]
    }
    if result == .absent { rest = reader.bytes + rest }
    return "\(describe(result)) | \(printable(rest))"
}

private func describe(_ result: HeaderReader.Result) -> String {
    switch result {
    case .needMore: "more"
    case .absent: "absent"
    case .malformed(let problem): "\(problem)"
    case .complete(.local): "local"
    case .complete(.proxied(let from, let to)): "\(from.address.text) \(from.port) > \(to.address.text) \(to.port)"
    }
}

private func v2(
    _ command: UInt8 = 0x21, _ family: UInt8 = 0x11, _ body: [UInt8] = four, length: Int? = nil
) -> [UInt8] {
    let length = length ?? body.count
    return V2.signature + [command, family, UInt8(length >> 8), UInt8(length & 0xFF)] + body
}

private let four: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 2, 0xDC, 0x04, 0x01, 0xBB]
private let six: [UInt8] =
    [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1] + [0x20, 0x01, 0x0D, 0xB8]
    + [UInt8](repeating: 0, count: 11) + [2, 0xDC, 0x04, 0x01, 0xBB]

@Suite("Reading PROXY protocol headers") struct HeaderReaderTests {
    @Test(
        "Version 1",
        arguments: [
            ("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\nGET", "192.0.2.1 56324 > 198.51.100.2 443 | GET"),
            ("PROXY TCP6 2001:DB8::1 2001:db8:0::2 0 65535\r\n", "2001:db8::1 0 > 2001:db8::2 65535 | "),
            ("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "192.0.2.1 1 > ::1 2 | "),
            ("PROXY UNKNOWN\r\nx", "local | x"),
            ("PROXY UNKNOWN ffff::1 anything at all 1 2\r\nx", "local | x"),
            ("PROXY TCP4 192.0.2.1 198.51.100.2 1 2", "more | "),
            ("GET / HTTP/1.1\r\n\r\n", "absent | GET / HTTP/1.1\\r\\n\\r\\n"),
            ("PROXYTCP4 192.0.2.1\r\n", "absent | PROXYTCP4 192.0.2.1\\r\\n"),
            ("PRI * HTTP/2.0\r\n", "absent | PRI * HTTP/2.0\\r\\n"),
            ("proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "absent | proxy TCP4 1.2.3.4 1.2.3.4 1 2\\r\\n"),
        ])
    func goodV1(text: String, expected: String) {
        let result = Splitter(text).run { outcome($0) }
        #expect(result.whole == expected)
        #expect(result.difference == nil)
    }

    @Test(
        "Lines of version 1 that must not be believed",
        arguments: [
            "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n", "PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 7\r\n", "PROXY TCP4  192.0.2.1 198.51.100.2 1 2\r\n",
            "PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n", "PROXY TCP4 192.0.2.1 198.51.100.2 65536 2\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n", "PROXY TCP4 192.0.2.1 198.51.100.2 +1 2\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.2 -1 2\r\n", "PROXY TCP4 192.0.2.1 198.51.100.2 1 \r\n",
            "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", "PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n",
            "PROXY TCP4 192.0.2.01 198.51.100.2 1 2\r\n", "PROXY TCP4 192.0.2 198.51.100.2 1 2\r\n",
            "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", "PROXY TCP6 [::1] ::1 1 2\r\n", "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY \r\n", "PROXY\u{20}TCP4\t192.0.2.1 198.51.100.2 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rGET /",
            "PROXY unknown\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\u{0}\r\n", "PROXY UNKNOWN \u{1}\r\n",
        ])
    func badV1(text: String) {
        let result = Splitter(text).run { pieces in String(outcome(pieces).prefix { $0 != " " }) }
        #expect(result.whole == "badText")
        #expect(result.difference == nil)
    }

    @Test("A line of 107 bytes is the longest")
    func longest() {
        func line(_ count: Int) -> [UInt8] {
            Array(("PROXY UNKNOWN " + String(repeating: "x", count: count - 16) + "\r\n").utf8)
        }
        #expect(outcome([line(107)]) == "local | ")
        #expect(outcome([line(108)]).hasPrefix("tooLong"))
    }

    @Test(
        "Version 2",
        arguments: [
            (v2(), "192.0.2.1 56324 > 198.51.100.2 443 | "),
            (v2() + [71], "192.0.2.1 56324 > 198.51.100.2 443 | G"),
            (v2(0x21, 0x21, six), "2001:db8::1 56324 > 2001:db8::2 443 | "),
            (v2(0x20, 0x00, []), "local | "),
            (v2(0x20, 0x11, four), "local | "),
            (v2(0x20, 0x11, [1, 2]), "local | "),
            (v2(0x21, 0x00, [9, 9, 9, 9]), "local | "),
            (v2(0x21, 0x12, four), "local | "),
            (v2(0x21, 0x31, [UInt8](repeating: 1, count: 216)), "local | "),
            (v2(0x21, 0x11, four + [0x04, 0, 2, 0, 0]), "192.0.2.1 56324 > 198.51.100.2 443 | "),
            (v2(0x21, 0x11, four + [0xE0, 0, 0]), "192.0.2.1 56324 > 198.51.100.2 443 | "),
            (V2.signature, "more | "),
            (Array(v2().dropLast()), "more | "),
        ] as [([UInt8], String)])
    func goodV2(bytes: [UInt8], expected: String) {
        let result = Splitter(bytes).run { outcome($0) }
        #expect(result.whole == expected)
        #expect(result.difference == nil)
    }

    @Test(
        "Headers of version 2 that must not be believed",
        arguments: [
            (v2(0x22), "badCommand"), (v2(0x11), "badCommand"), (v2(0x31), "badCommand"),
            (v2(0x21, 0x41), "badCommand"),
            (v2(0x21, 0x13), "badCommand"), (v2(0x21, 0x11, [1, 2, 3]), "badLength"),
            (v2(0x21, 0x21, four), "badLength"), (v2(0x21, 0x31, four), "badLength"),
            (v2(0x21, 0x11, four, length: 4097), "tooLong"), (v2(0x20, 0x00, four, length: 65_535), "tooLong"),
            (v2(0x21, 0x11, four + [4]), "badTLV"), (v2(0x21, 0x11, four + [4, 0]), "badTLV"),
            (v2(0x21, 0x11, four + [4, 0, 1]), "badTLV"), (v2(0x21, 0x11, four + [4, 255, 255, 1]), "badTLV"),
            (v2(0x21, 0x11, four + [3, 0, 3, 1, 2, 3]), "badTLV"),
            (v2(0x21, 0x11, four + [3, 0, 4, 1, 2, 3, 4]), "badChecksum"),
        ] as [([UInt8], String)])
    func badV2(bytes: [UInt8], expected: String) {
        let result = Splitter(bytes).run { pieces in String(outcome(pieces).prefix { $0 != " " }) }
        #expect(result.whole == expected)
        #expect(result.difference == nil)
    }

    @Test("A version that is not accepted is refused, and not taken for other bytes")
    func versions() {
        let one = Array("PROXY UNKNOWN\r\n".utf8)
        #expect(outcome([one], .init(acceptsV1: false)).hasPrefix("versionNotAccepted"))
        #expect(outcome([v2()], .init(acceptsV2: false)).hasPrefix("versionNotAccepted"))
    }

    @Test("A signature of version 2 that goes wrong in its last byte is other bytes")
    func almost() {
        let bytes = V2.signature.dropLast() + [0x0B]
        #expect(outcome([Array(bytes)]).hasPrefix("absent"))
    }
}

@Suite("Writing PROXY protocol headers") struct HeaderWriterTests {
    private func place(_ text: String) throws -> ProxyHeader.Place { try #require(HeaderWriter.place(text)) }

    @Test(
        "What is written is read as the same", arguments: [("192.0.2.1:1", "10.0.0.1:65535"), ("[::1]:8", "[::2]:9")])
    func same(from: String, to: String) throws {
        let header = ProxyHeader.proxied(source: try place(from), destination: try place(to))
        let expected = outcome([V1.write(header)])
        #expect(expected.contains(" > "))
        #expect(outcome([V2.write(header)]) == expected)
        #expect(outcome([V2.write(header, checksum: true)]) == expected)
    }

    @Test("Addresses of two families are both written as IPv6")
    func mixed() throws {
        let header = ProxyHeader.proxied(source: try place("192.0.2.1:1"), destination: try place("[::2]:2"))
        #expect(String(decoding: V1.write(header), as: UTF8.self) == "PROXY TCP6 ::ffff:192.0.2.1 ::2 1 2\r\n")
        #expect(outcome([V2.write(header)]) == "192.0.2.1 1 > ::2 2 | ")
    }

    @Test("The checksum is CRC32C") func checksum() { #expect(CRC32C.of(Array("123456789".utf8)) == 0xE306_9283) }

    @Test("Who is no client of the network is nobody", arguments: ["unix:/run/a.sock", "", "unix:@x:1"])
    func nobody(text: String) { #expect(HeaderWriter.place(text) == nil) }
}

@Suite("Ranges of addresses") struct IPRangeTests {
    @Test(
        "hold what begins with the same bits",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.0", false), ("0.0.0.0/0", "1.2.3.4", true),
            ("0.0.0.0/0", "::1", false), ("::/0", "2001:db8::1", true), ("::/0", "1.2.3.4", false),
            ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
            ("192.0.2.7", "192.0.2.7", true), ("192.0.2.7", "192.0.2.6", false),
            ("192.0.2.0/24", "::ffff:192.0.2.1", true),
        ])
    func holds(range: String, address: String, expected: Bool) throws {
        #expect(try #require(IPRange(range)).contains(try #require(IPAddress(address))) == expected)
    }

    @Test(
        "need a length that fits", arguments: ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "a", "10.0.0.0/-1", "::1/64"])
    func refused(text: String) { #expect(IPRange(text) == nil) }
}
