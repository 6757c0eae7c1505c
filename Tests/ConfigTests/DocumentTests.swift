import Testing

@testable import Config

@Suite("Reading a file") struct DocumentTests {
    @Test("each node knows its place and its path") func places() throws {
        let (root, _) = tree("a:\n  b: [x, {c: 'long text'}]\n  \"d.e\": 1\n")
        let node = try #require(root?["a"]?["b"]?.elements?[1]["c"])
        #expect(node.path == "a.b[1].c")
        #expect(node.range == SourceRange(line: 2, column: 14, width: 11))
        #expect(node.keyRange == SourceRange(line: 2, column: 11, width: 1))
        #expect(root?["a"]?["d.e"]?.path == "a.\"d.e\"")
    }

    @Test(
        "a path below a node finds it, or the nearest above it",
        arguments: [
            ("b[1].c", "a.b[1].c", true), ("d.e", "a.\"d.e\"", true), ("b[7].c", "a.b[7].c", false), ("", "a", true),
            ("\"d.e\"", "a.\"d.e\"", true), ("x.y", "a.x.y", false),
        ])
    func find(path: String, expected: String, isExact: Bool) throws {
        let (root, _) = tree("a:\n  b: [x, {c: 'long text'}]\n  \"d.e\": 1\n")
        let found = try #require(root?["a"]).find(path)
        #expect(found.place.path.description == expected)
        #expect(found.isExact == isExact)
    }

    @Test(
        "JSON, a byte order mark and CRLF are read",
        arguments: [
            "{\n\t\"a\": {\"b\": [1, \"x\\u0041\\/\"]}\n}", "\u{FEFF}a:\r\n  b:\r\n  - 1\r\n  - xA/\r\n",
        ])
    func dialects(text: String) {
        let (root, diagnostics) = tree(text)
        #expect(brief(diagnostics) == [])
        #expect(root?["a"]?["b"]?.elements?.map(\.text) == ["1", "xA/"])
    }

    @Test("a byte order mark and CRLF do not shift places") func shifted() {
        let (_, diagnostics) = tree("\u{FEFF}a: 1\r\na: 2\r\n")
        #expect(brief(diagnostics) == ["SL0103 2:1 the key `a` is written twice (keep one of them)"])
        #expect(diagnostics.rendered(as: .text).contains("2 | a: 2\n"))
    }

    @Test("no, on, yes and 22:22 are text, and only a bare null is nothing") func scalars() {
        let (root, _) = tree("a: [no, on, yes, 22:22, 0o7, 'null', null, ~, '~', Null]")
        let kinds = root?["a"]?.elements?.map { $0.text ?? "nothing" }
        #expect(kinds == ["no", "on", "yes", "22:22", "0o7", "null", "nothing", "nothing", "~", "nothing"])
    }

    @Test("bytes that are not UTF-8 are refused with their position") func notText() {
        let diagnostics = Diagnostics(file: "x")
        let document = Document.parse([0x61, 0x3A, 0x0A, 0x20, 0xC3, 0x28], name: "x", into: diagnostics)
        #expect(document == nil)
        #expect(
            brief(diagnostics) == [
                "SL0115 2:2 byte 5 of the file (0xC3) is not UTF-8 (save the file as UTF-8)"
            ])
    }

    @Test("UTF-16 is named") func utf16() {
        let diagnostics = Diagnostics(file: "x")
        #expect(Document.parse([0xFF, 0xFE, 0x61, 0], name: "x", into: diagnostics) == nil)
        #expect(brief(diagnostics) == ["SL0115 1:1 the file is not UTF-8 but UTF-16 (save it as UTF-8)"])
    }

    @Test("64 levels are read, 65 and 10,000 are refused") func depth() {
        let deepest = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        #expect(brief(tree(deepest).1) == [])
        for depth in [65, 10_000] {
            let (root, diagnostics) = tree(String(repeating: "[", count: depth))
            #expect(root == nil)
            #expect(brief(diagnostics) == ["SL0117 1:65 lists and mappings stand more than 64 deep"])
        }
    }

    @Test("aliases are copied, under their own paths") func aliases() {
        let (root, diagnostics) = tree("a: &x { k: [1] }\nb: *x\n")
        #expect(brief(diagnostics) == [])
        #expect(root?["b"]?["k"]?.elements?[0].path == "b.k[0]")
        #expect(root?["b"]?["k"]?.elements?[0].range.line == 1)
    }

    @Test("an alias bomb is refused") func bomb() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let uses = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(uses)]\n"
        }
        let (root, diagnostics) = tree(text)
        #expect(root == nil)
        #expect(diagnostics.sorted.map(\.code) == [.tooLarge])
    }

    @Test("a file over 16 MiB is refused") func size() {
        let diagnostics = Diagnostics(file: "x")
        let bytes = [UInt8](repeating: 0x20, count: Document.sizeLimit + 1)
        #expect(Document.parse(bytes, name: "x", into: diagnostics) == nil)
        #expect(brief(diagnostics) == ["SL0117 0:0 the config file has more than 16 MiB"])
    }

    @Test("a missing file and a folder are named with the system's reason") func unreadable() {
        let missing = Diagnostics(file: "/nonexistent/sluice.yaml")
        #expect(Document.read("/nonexistent/sluice.yaml", into: missing) == nil)
        #expect(brief(missing) == ["SL0116 0:0 the config file cannot be read: no such file or directory"])
        let folder = Diagnostics(file: "/")
        #expect(Document.read("/", into: folder) == nil)
        #expect(brief(folder) == ["SL0116 0:0 the config file cannot be read: is a directory"])
    }

    @Test(
        "equivalence ignores places, quotes' kinds and the order of keys, not values or the order of lists",
        arguments: [
            ("a: 1\nb: [x, 'y']", "{b: [ x, \"y\" ], a: 1}", true), ("a: [1, 2]", "a: [2, 1]", false),
            ("a: 1", "a: '1'", false), ("a: {b: 1}", "a: {b: 1, c: 2}", false), ("a: ~", "a:", true),
            ("a: x", "a: [x]", false),
            ("a: ${N}", "a: 5", true),
        ])
    func equivalence(left: String, right: String, expected: Bool) throws {
        let left = try #require(tree(left, environment: ["N": "5"]).0)
        let right = try #require(tree(right).0)
        #expect(left.isEquivalent(to: right) == expected)
        #expect(right.isEquivalent(to: left) == expected)
    }
}
