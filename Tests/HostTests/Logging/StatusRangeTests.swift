import Testing

@testable import Host

struct StatusRangeTests {
    @Test(
        arguments: [
            ("404", 404...404), ("0", 0...0), ("500-599", 500...599), ("200-200", 200...200), ("5xx", 500...599),
            (">=400", 400...999), ("> 400", 401...999), ("<200", 0...199), ("<=200", 0...200), ("<0", 0...0),
            (">999", 999...999),
        ])
    func whatIsARange(_ text: String, _ expected: ClosedRange<Int>) { #expect(StatusRange(text)?.bounds == expected) }

    @Test(
        arguments: [
            "", "x", "-", "4-", "-4", "599-500", "1000", ">=", "=400", "==400", "0xx", "xx", "4x", "4xxx", "200 300",
            "200-300-400", "+200", " 200", "２００", ">=1000", "200,300",
        ])
    func whatIsNone(_ text: String) { #expect(StatusRange(text) == nil) }
}
