import FilterAPI
import Testing

@testable import Filters

@Suite("Times of gRPC") struct DeadlinesTests {
    @Test(
        "a number of up to eight digits and a unit",
        arguments: [
            ("1H", 3_600_000_000_000), ("2M", 120_000_000_000), ("3S", 3_000_000_000), ("4m", 4_000_000), ("5u", 5_000),
            ("6n", 6), ("0S", 0),
        ])
    func times(text: String, nanoseconds: Int) { #expect(read(text) == UInt64(nanoseconds)) }

    @Test("what is longer than can be counted is as long as can be") func longest() {
        #expect(read("99999999H") == .max)
    }

    // SAFETY: the string outlives the span.
    private func read(_ text: String) -> UInt64? { unsafe Deadlines.nanoseconds(text.utf8Span.span.bytes) }

    @Test(
        "anything else is none",
        arguments: ["", "S", "5", "123456789S", "1.5S", "-1S", "+1S", "5s", "5 S", "S5", "5SS"])
    func others(text: String) { #expect(read(text) == nil) }
}
