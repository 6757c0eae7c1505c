import FilterAPI
import Testing

@testable import Filters

@Suite("Digits of base 16, eight at once") struct LowerHexTests {
    private func span<R>(_ text: String, _ body: (RawSpan) -> R) -> R {
        let bytes = Array(text.utf8)
        return unsafe body(bytes.span.bytes)
    }

    private static func text(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    @Test("numbers are written as the library writes them, and read as they are written")
    func roundTrip() {
        var random = RandomBits()
        var numbers: [UInt64] = [
            0, 1, 0x9, 0xA, 0xF, 0x10, .max, .max - 1, 0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210,
        ]
        for bit in 0..<64 { numbers.append(1 << UInt64(bit)) }
        for _ in 0..<2000 { numbers.append(random.next()) }
        for number in numbers {
            var text = ByteText()
            text.append(lowerHex: number)
            #expect(ASCII.string(text.bytes) == Self.text(number))
            #expect(span("-" + Self.text(number) + "-") { $0.lowerHex64(at: 1) } == number)
        }
    }

    @Test("no other byte is a digit, in any of the places")
    func others() {
        for byte in UInt8.min...UInt8.max {
            let isDigit = (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
            for place in 0..<16 {
                var bytes = Array("0123456789abcdef".utf8)
                bytes[place] = byte
                let number = unsafe bytes.span.bytes.lowerHex64(at: 0)
                #expect((number != nil) == isDigit, "\(byte) at \(place)")
            }
            for place in 0..<2 {
                var bytes = Array("5c".utf8)
                bytes[place] = byte
                let number = unsafe bytes.span.bytes.lowerHex8(at: 0)
                #expect((number != nil) == isDigit, "\(byte) at \(place)")
            }
        }
    }

    @Test("there are no digits behind the end")
    func bounds() {
        #expect(span("0123456789abcde") { $0.lowerHex64(at: 0) } == nil)
        #expect(span("0123456789abcdef") { $0.lowerHex64(at: 1) } == nil)
        #expect(span("0123456789abcdef") { $0.lowerHex64(at: -1) } == nil)
        #expect(span("0") { $0.lowerHex8(at: 0) } == nil)
        #expect(span("0a") { $0.lowerHex8(at: 0) } == 10)
    }
}
