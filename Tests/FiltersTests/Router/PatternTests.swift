import FilterAPI
import Testing

@testable import Filters

struct PatternTests {
    private func replace(_ pattern: String, _ with: String, _ text: String) throws -> String? {
        let pattern = try Pattern(pattern)
        var output = ByteText(capacity: 16)
        let bytes = Array(text.utf8)
        // SAFETY: the array outlives the span.
        let isMatch = unsafe pattern.replace(in: bytes.span.bytes, with: with, into: &output)
        return isMatch ? ASCII.string(output.bytes) : nil
    }

    @Test func wholeAndPart() throws {
        let pattern = try Pattern("a+b|c")
        #expect(pattern.whole("aab"))
        #expect(!pattern.whole("aabx"))
        #expect(!pattern.whole("xc"))
        #expect(pattern.part("xxcxx"))
        #expect(!pattern.part(""))
        #expect(try Pattern("").whole(""))
    }

    @Test func bytesThatAreNotUTF8AreMatchedByADot() throws {
        let bytes: [UInt8] = [0x61, 0xFF, 0x00, 0x0A, 0x62]
        #expect(try Pattern("a.*b").whole(bytes))
    }

    @Test func replacements() throws {
        #expect(try replace("^/a/(.*)", "/b/\\1", "/a/x/y") == "/b/x/y")
        #expect(try replace("b", "[\\0]\\\\", "abcb") == "a[b]\\cb")
        #expect(try replace("(x)?y", "<\\1>", "y") == "<>")
        #expect(try replace("b", "", "abc") == "ac")
        #expect(try replace("x", "y", "abc") == nil)
        let long = String(repeating: "ab", count: 500)
        #expect(try replace("(.*)", "\\1\\1", long) == long + long)
    }

    @Test func aReplacementThatDoesNotFitIsRefused() throws {
        let pattern = try Pattern("(a)(b)")
        #expect(pattern.problem(withReplacement: "\\2\\\\") == nil)
        #expect(pattern.problem(withReplacement: "\\3") != nil)
        #expect(pattern.problem(withReplacement: "a\\") != nil)
        #expect(pattern.problem(withReplacement: "\\x") != nil)
    }

    @Test(arguments: [("(", 0), ("ab[", 2), ("a**", 1), ("x(?<n", 1), ("\\", 0)])
    func whatIsWrongIsSaidWithItsPlace(_ text: String, _ offset: Int) {
        do throws(Pattern.Problem) {
            _ = try Pattern(text)
            Issue.record("`\(text)` was accepted")
        } catch {
            #expect(!error.message.isEmpty && !error.message.contains(":"))
            #expect(error.offset == offset, "\(error)")
        }
    }

    @Test func aPatternThatIsSlowElsewhereIsFastHere() throws {
        let pattern = try Pattern("(a*)*b")
        let text = String(repeating: "a", count: 50_000)
        #expect(!pattern.whole(text))
    }
}
