import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("Paths and their one form")
struct PathTests {
    private func target(_ text: String, _ edit: (inout ServerSettings) -> Void = { _ in }) -> String {
        let lines = reading("GET \(text) HTTP/1.1\r\nHost: a\r\n\r\n", edit).split(separator: "\n")
        let words = (lines.first ?? "").split(separator: " ")
        return words.count > 2 && words[0] == "request" ? String(words[2]) : lines.first.map(String.init) ?? ""
    }

    @Test(
        "By default dots are resolved, and escapes of plain letters undone",
        arguments: [
            ("/", "/"), ("/a", "/a"), ("/a/", "/a/"), ("/a//b", "/a//b"), ("//", "//"), ("//a", "//a"),
            ("/.", "/"), ("/./", "/"), ("/..", "/"), ("/../", "/"), ("/../../x", "/x"), ("/a/.", "/a/"),
            ("/a/..", "/"), ("/a/../", "/"), ("/a/../b", "/b"), ("/a/./b", "/a/b"), ("/a/b/../../c", "/c"),
            ("/a/b/../..", "/"), ("/a//../b", "/a/b"), ("//../b", "/b"), ("/a/...", "/a/..."), ("/a/..b", "/a/..b"),
            ("/a/b..", "/a/b.."), ("/.a", "/.a"), ("/..;/a", "/..;/a"), ("/a/.;x/b", "/a/.;x/b"),
            ("/%2e%2e/a", "/a"), ("/a/%2E/b", "/a/b"), ("/a/.%2e/b", "/b"), ("/%61%7E%2D", "/a~-"), ("/%41", "/A"),
            ("/a%20b", "/a%20b"), ("/%c3%A9", "/%c3%A9"), ("/%252e%252e/a", "/%252e%252e/a"), ("/%25", "/%25"),
            ("/%3f%23", "/%3f%23"), ("/%c0%ae%c0%ae/a", "/%c0%ae%c0%ae/a"),
            ("/a?b=/../c", "/a?b=/../c"), ("/a/..?b", "/?b"), ("/a?%2e%zz//.", "/a?%2e%zz//."), ("/?", "/?"),
            ("/./?a=%2f", "/?a=%2f"), ("/a%3Fb/../c?d", "/c?d"),
        ])
    func normalized(text: String, expected: String) {
        #expect(target(text) == expected)
        let absolute = target("http://host\(text)")
        #expect(absolute == expected)
    }

    @Test(
        "Without normalising, only what cannot be read is refused",
        arguments: [
            ("/a/../b", "/a/../b"), ("/%2e%2E/%41", "/%2e%2E/%41"), ("/%zz", "fault badRequest http1.bad_escape"),
        ])
    func raw(text: String, expected: String) {
        #expect(target(text) { $0.normalizePath = false } == expected)
    }

    @Test(
        "Slashes are merged on request, in the path only",
        arguments: [
            ("//", "/"), ("//a///b//", "/a/b/"), ("/a/..//b", "/b"), ("/a//../b", "/a/b"), ("/a?b=//c", "/a?b=//c"),
            ("//a?b=//c", "/a?b=//c"), ("/a/%2e/%2e/b", "/a/b"),
        ])
    func merged(text: String, expected: String) {
        #expect(target(text) { $0.mergeSlashes = true } == expected)
    }

    @Test(
        "Escaped slashes stay, are refused, or become slashes before dots are resolved",
        arguments: [
            ("/a%2fb", "/a%2fb", "/a/b"), ("/a%2F..%5cb", "/a%2F..%5cb", "/b"),
            ("/pub%2f..%2fadmin", "/pub%2f..%2fadmin", "/admin"),
            ("/a%252fb", "/a%252fb", "/a%252fb"), ("/a?b=%2f", "/a?b=%2f", "/a?b=%2f"),
        ])
    func slashes(text: String, kept: String, unescaped: String) {
        #expect(target(text) { $0.escapedSlashes = .keep } == kept)
        #expect(target(text) { $0.escapedSlashes = .unescape } == unescaped)
        let hasNone = kept == unescaped
        #expect(target(text) == (hasNone ? text : "fault badRequest http1.escaped_slash"))
    }

    @Test("The form of a form is itself, and no dot segment is left in it")
    func idempotent() {
        var generator = SmallGenerator(seed: 7)
        let parts = ["/", "/", ".", "..", "a", "%2e", "%2E", "%61", ";", "%25", "b.", "//", "/./", "/../"]
        for _ in 0..<2000 {
            let count = Int.random(in: 1...8, using: &generator)
            let text = "/" + (0..<count).map { _ in parts.randomElement(using: &generator) ?? "" }.joined()
            for merge in [false, true] {
                let codec = makeServer { $0.mergeSlashes = merge }
                let once = form(of: text, codec)
                #expect(form(of: once, codec) == once, "\(text)")
                #expect(!once.split(separator: "/").contains { $0 == "." || $0 == ".." }, "\(text) became \(once)")
                #expect(!merge || !once.contains("//"), "\(text) became \(once)")
            }
        }
    }

    private func form(of text: String, _ codec: HTTP1ServerCodec) -> String {
        let bench = ServerBench(codec)
        bench.receive("GET \(text) HTTP/1.1\r\nHost: a\r\n\r\n")
        return bench.requests.first?.target ?? bench.transcript.description
    }
}
