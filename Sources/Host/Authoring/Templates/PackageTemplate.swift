/// The files of a new filter's package. What they say is in the extensions, a file for each.
struct PackageTemplate {
    let id: String
    let type: String
    let kind: FilterCreation.Kind
    let isAsync: Bool
    /// The folder of the package `sluice`.
    let sluice: String

    init(_ creation: FilterCreation, sluice: String) {
        id = creation.name.id
        type = creation.name.type
        kind = creation.kind
        isAsync = creation.isAsync
        self.sluice = sluice
    }

    /// What is written where, relative to the package's folder.
    var files: [(path: String, text: String)] {
        [
            ("Package.swift", manifest),
            ("Sources/\(id)/Plugin.swift", plugin),
            ("Sources/\(id)/Filter.swift", filter),
            ("Tests/\(type)Tests/\(type)Tests.swift", tests),
            ("README.md", readme),
            ("sluice.yaml", config),
            (".gitignore", ".build/\n"),
        ].map { ($0.0, $0.1.hasSuffix("\n") ? $0.1 : $0.1 + "\n") }
    }

    private var filter: String {
        switch kind {
        case .http: isAsync ? asyncFilter : httpFilter
        case .byte: byteFilter
        case .terminal: terminal
        }
    }

    private var tests: String {
        switch kind {
        case .http: isAsync ? asyncTests : httpTests
        case .byte: byteTests
        case .terminal: terminalTests
        }
    }

    /// What it does, in one sentence.
    var summary: String {
        switch kind {
        case .http: "Sets one field of each response."
        case .byte: "Counts the bytes of connections, and ends those that send too many."
        case .terminal: "Answers each request with a text."
        }
    }

    /// The protocol that says what flows through it.
    var role: String {
        switch kind {
        case .http: "HTTPFilter"
        case .byte: "ByteFilter"
        case .terminal: "HTTPTerminal"
        }
    }

    /// The field that it sets: `add_header` sets `x-add-header`.
    var field: String { "x-" + id.split(separator: "_").joined(separator: "-") }
}
