import FilterAPI
import Testing

@testable import Filters

struct JSONFormatTests {
    private func render(_ format: JSONFormat, agent: String = "x/1", status: Int = 200) throws -> String {
        let head = request("GET", "/a", [("user-agent", agent)])
        var facts = StreamFacts()
        facts.status = status
        var text = ByteText(capacity: 16)
        unsafe withUnsafePointer(to: head) { head in
            unsafe withUnsafePointer(to: facts) { facts in
                let subject = unsafe FormatSubject(
                    request: head, response: nil, facts: facts, connection: ConnectionFacts(),
                    at: FormatMoment(now: .none, occasion: .stream))
                format.render(into: &text, subject)
            }
        }
        return String(decoding: text.copy(), as: UTF8.self)
    }

    private func object(_ members: KeyValuePairs<String, String>) throws -> JSONFormat {
        var format = JSONFormat()
        for (name, value) in members { format.append(name: name, try TextFormat.parse(value)) }
        return format
    }

    @Test func valuesKeepTheirTypes() throws {
        let format = try object([
            "method": "%REQ(:METHOD)%", "status": "%RESPONSE_CODE%", "both": "%RESPONSE_CODE% %REQ(x)%",
            "none": "%DURATION%", "text": "%ROUTE_NAME%", "plain": "a\"b", "empty": "",
        ])
        #expect(
            try render(format) == """
                {"method":"GET","status":200,"both":"200 -","none":null,"text":null,"plain":"a\\"b","empty":""}
                """)
    }

    @Test func membersWithoutAValueMayBeLeftOut() throws {
        var format = try object(["a": "%DURATION%", "b": "%RESPONSE_CODE%", "c": "%ROUTE_NAME%", "d": "%REQ(:PATH)%"])
        format.omitsEmpty = true
        #expect(try render(format) == #"{"b":200,"d":"/a"}"#)
        format = try object(["a": "%DURATION%"])
        format.omitsEmpty = true
        #expect(try render(format) == "{}")
    }

    @Test func objectsAndListsMayBeNested() throws {
        var format = try object(["a": "%RESPONSE_CODE%"])
        format.open(name: "b", isList: false)
        format.open(name: "c", isList: true)
        format.append(name: nil, try TextFormat.parse("%REQ(:PATH)%"))
        format.append(name: nil, word: "true")
        format.append(name: nil, try TextFormat.parse("%REQ(user-agent)%"))
        format.close(isList: true)
        format.append(name: "d", word: "1.5")
        format.close(isList: false)
        format.open(name: "e", isList: false)
        format.close(isList: false)
        format.append(name: "f\n", word: "null")
        #expect(
            try render(format) == #"{"a":200,"b":{"c":["/a",true,"x/1"],"d":1.5},"e":{},"f\u000a":null}"#)
    }

    @Test(
        arguments: [
            ("plain text of some length", "plain text of some length"), ("a\"b", #"a\"b"#), (#"a\b"#, #"a\\b"#),
            ("gr\u{FC}n \u{20AC} \u{1F600}", "gr\u{FC}n \u{20AC} \u{1F600}"), ("1234567\t", #"1234567\u0009"#),
            ("12345678\"", #"12345678\""#),
        ])
    func whatCannotStandInAStringIsEscaped(_ value: String, _ expected: String) throws {
        #expect(try render(try object(["a": "%REQ(user-agent)%"]), agent: value) == #"{"a":"\#(expected)"}"#)
    }

    @Test(
        arguments: [
            ([0x61, 0xFF, 0x62], #"a\ufffdb"#), ([0xC3], #"\ufffd"#), ([0xC3, 0x28], #"\ufffd("#),
            ([0xE2, 0x82], #"\ufffd\ufffd"#), ([0xED, 0xA0, 0x80], #"\ufffd\ufffd\ufffd"#),
            ([0xC0, 0xAF], #"\ufffd\ufffd"#),
            ([0xF4, 0x90, 0x80, 0x80], #"\ufffd\ufffd\ufffd\ufffd"#), ([0xE2, 0x82, 0xAC, 0x80], "\u{20AC}\\ufffd"),
            ([0x00, 0x1F, 0x7F], #"\u0000\u001f\u007f"#),
        ] as [([UInt8], String)])
    func whatIsNoTextIsReplaced(_ bytes: [UInt8], _ expected: String) {
        var text = ByteText(capacity: 16)
        // SAFETY: bytes have no padding.
        unsafe text.append(escapedForJSON: bytes.span.bytes)
        #expect(String(decoding: text.copy(), as: UTF8.self) == expected)
    }

    /// By eights and by ones the same is found, wherever a byte stands.
    @Test func everyByteIsFoundAtEveryPlace() {
        for byte in UInt8.min...UInt8.max {
            for place in 0..<17 {
                var bytes = [UInt8](repeating: 0x61, count: 17)
                bytes[place] = byte
                var text = ByteText()
                // SAFETY: bytes have no padding.
                unsafe text.append(escapedForJSON: bytes.span.bytes)
                let isPlain = byte >= 0x20 && byte < 0x7F && byte != 0x22 && byte != 0x5C
                #expect((text.count == 17) == isPlain)
                #expect(text.copy().prefix(place).allSatisfy { $0 == 0x61 })
            }
        }
    }
}
