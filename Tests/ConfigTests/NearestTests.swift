import Testing

@testable import Config

@Suite("The nearest word") struct NearestTests {
    @Test(
        "a slip of the finger is recognised",
        arguments: [
            ("timeot", "timeout"), ("tiemout", "timeout"), ("cacheTTL", "cache_ttl"), ("idle-timeout", "idle_timeout"),
            ("lisetners", "listeners"), ("t", nil), ("banana", nil),
        ])
    func slips(word: String, expected: String?) {
        let words = ["timeout", "idle_timeout", "cache_ttl", "listeners", "to"]
        #expect(Nearest.match(for: word, among: words) == expected)
    }
}
