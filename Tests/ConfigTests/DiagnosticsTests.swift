import Testing

@testable import Config

@Suite("Writing findings out") struct DiagnosticsTests {
    static func sample() -> Diagnostics {
        read(Sample.self, "log: {}\nlog: { levl: \"x\" }\nworkers: \"a\\\"b\"\n", name: "a,b:c.yaml").diagnostics
    }

    @Test("JSON has one object a finding") func json() {
        let expected = """
            [
              {"file":"a,b:c.yaml","line":2,"column":1,"endColumn":4,"path":"log","code":"SL0103",\
            "message":"the key `log` is written twice","hint":"keep one of them","severity":"error",\
            "related":[{"line":1,"column":1,"endColumn":4,"message":"first written here"}]},
              {"file":"a,b:c.yaml","line":3,"column":10,"endColumn":16,"path":"workers","code":"SL0104",\
            "message":"expected a whole number such as `10`, found the text `\\"a\\"b\\"`",\
            "hint":null,"severity":"error"}
            ]

            """
        #expect(Self.sample().rendered(as: .json) == expected)
    }

    @Test("GitHub gets a command a finding") func github() {
        let expected = """
            ::error file=a%2Cb%3Ac.yaml,line=2,col=1,endColumn=4,title=SL0103::\
            the key `log` is written twice: keep one of them
            ::error file=a%2Cb%3Ac.yaml,line=3,col=10,endColumn=16,title=SL0104::\
            expected a whole number such as `10`, found the text `"a"b"`

            """
        #expect(Self.sample().rendered(as: .github) == expected)
    }

    @Test("nothing to say is said in each form") func nothing() {
        let diagnostics = Diagnostics(file: "x")
        #expect(diagnostics.rendered(as: .text) == "")
        #expect(diagnostics.rendered(as: .json) == "[]\n")
        #expect(diagnostics.rendered(as: .github) == "")
    }

    @Test("the surest come first, warnings last, duplicates once") func order() {
        let diagnostics = Diagnostics(file: "x")
        func place(_ line: Int) -> Place { Place(range: SourceRange(line: line, column: 1, width: 1), path: .root) }
        diagnostics.warning(.unusedCluster, "w", at: place(1))
        diagnostics.error(.unknownCluster, "c", at: place(2))
        diagnostics.error(.refusedValue, "v", at: place(3))
        diagnostics.error(.wrongType, "t", at: place(9))
        diagnostics.error(.wrongType, "t", at: place(9))
        diagnostics.error(.unknownKey, "k", at: place(4))
        #expect(diagnostics.sorted.map(\.message) == ["k", "t", "v", "c", "w"])
    }

    @Test("control characters of a file do not reach the terminal") func terminal() {
        let diagnostics = read(Sample.self, "\"a\\e[31m\\u202e\": 1").diagnostics
        let text = diagnostics.rendered(as: .text)
        #expect(text.contains("unknown key `a\u{FFFD}[31m\u{FFFD}`"))
        #expect(!text.unicodeScalars.contains("\u{1B}"))
    }

    @Test("codes and their sentences are unique") func catalogue() {
        let codes = DiagnosticCode.allCases
        #expect(Set(codes.map(\.rawValue)).count == codes.count)
        #expect(Set(codes.map(\.summary)).count == codes.count)
    }
}
