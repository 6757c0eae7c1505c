import Filters
import Testing

@testable import Host

@Suite("Questions to the admin interface") struct AdminQuestionTests {
    private func question(_ query: String) -> AdminQuestion { AdminQuestion(path: "/stats", query: query) }

    @Test("Values are decoded, and the first of a name counts") func values() {
        let asked = question("filter=a%2Bb+c%20d&filter=second&empty=&usedonly&x=1=2")
        #expect(asked["filter"] == "a+b c d")
        #expect(asked["empty"] == "" && asked["usedonly"] == "" && asked["x"] == "1=2" && asked["other"] == nil)
        #expect(asked.parameters.count == 5)
    }

    @Test("A switch is on unless it is said to be off") func switches() {
        #expect(question("usedonly").has("usedonly") && question("usedonly=1").has("usedonly"))
        for off in ["off", "false", "0"] { #expect(!question("usedonly=\(off)").has("usedonly")) }
        #expect(!question("").has("usedonly"))
    }

    @Test("What is no escape stays as it is, what is no UTF-8 is replaced")
    func escapes() {
        for (text, wanted) in [
            ("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("%%41", "%A"), ("%41%4a%4A", "AJJ"), ("%ff", "\u{FFFD}"),
            ("%C3%A9", "é"), ("%00", "\0"), ("", ""),
        ] { #expect(QueryText.decoded(text[...]) == wanted, "\(text)") }
    }

    @Test("Odd queries have no parameters, or some without a name") func oddities() {
        #expect(question("&&&").parameters.isEmpty)
        #expect(question("=").parameters.map(\.name) == [""])
        #expect(question("=a")[""] == "a")
    }
}
