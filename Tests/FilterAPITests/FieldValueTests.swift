import FilterAPI
import Testing

@Suite("What may be the value of a field") struct FieldValueTests {
    private func isValue(_ bytes: [UInt8]) -> Bool { unsafe ASCII.isFieldValue(bytes.span.bytes) }

    @Test("control bytes but TAB may not, wherever they stand; all else may", arguments: [1, 7, 8, 9, 16, 23])
    func everyByte(length: Int) {
        for byte in UInt8.min...UInt8.max {
            let expected = byte == 0x09 || byte >= 0x20 && byte != 0x7F
            for position in 0..<length {
                for filler: UInt8 in [0x20, 0x61, 0x80, 0xFF] {
                    var bytes = [UInt8](repeating: filler, count: length)
                    bytes[position] = byte
                    #expect(isValue(bytes) == expected, "\(byte) at \(position) of \(length), among \(filler)")
                }
            }
        }
    }

    @Test("nothing at all may") func empty() { #expect(isValue([])) }

    @Test(
        "names are written as people expect them, known ones and others",
        arguments: [
            ("x-request-id", "X-Request-Id"), ("te", "Te"), ("x-made-up-here", "X-Made-Up-Here"),
            ("content-length", "Content-Length"),
            ("9-lives", "9-Lives"), ("x--y", "X--Y"),
        ])
    func titles(name: String, written: String) throws {
        var headers = Headers()
        headers.add(try #require(HeaderName(name)), "1")
        #expect(ASCII.string(headers.name(at: 0)) == written)
    }
}
