import FilterAPI
import Testing

@testable import Filters

struct ByteTextTests {
    private func text(_ fill: (inout ByteText) -> Void) -> String {
        var text = ByteText(capacity: 16)
        fill(&text)
        return ASCII.string(text.bytes)
    }

    @Test func itGrowsAndKeepsWhatIsInIt() {
        let words = (0..<100).map { "word \($0) " }
        #expect(text { for word in words { $0.append(word) } } == words.joined())
    }

    @Test func numbers() {
        #expect(text { $0.append(decimal: 0) } == "0")
        #expect(text { $0.append(decimal: -120) } == "-120")
        #expect(text { $0.append(decimal: Int.min) } == "-9223372036854775808")
        #expect(text { $0.append(decimal: UInt64.max) } == "18446744073709551615")
        #expect(text { $0.append(decimal: UInt(7), width: 3) } == "007")
        #expect(text { $0.append(decimal: UInt(1234), width: 3) } == "1234")
    }

    @Test func textInBetweenAndCut() {
        #expect(
            text {
                $0.append("bcdefghijklmnopqrs")
                $0.insert("a", at: 0)
                $0.truncate(to: 4)
                $0.append(UInt8(ascii: "!"))
            } == "abcd!")
    }

    @Test func whatWouldEndAJSONStringIsEscaped() {
        let hostile = "a\"b\\c\u{1}\n\u{7F}é"
        #expect(text { $0.append(json: hostile) } == "a\\\"b\\\\c\\u0001\\u000a\\u007fé")
    }
}
