import Config

/// A config file with one mistake in it.
struct Mutation: Sendable, CustomStringConvertible {
    enum Kind: String, Sendable { case drop, misspell, retype }

    let kind: Kind
    /// The way to the key that was changed.
    let path: String
    /// The way to the mapping that holds it.
    let container: String
    /// The changed file.
    let text: String
    /// The lines that a message about it may point at.
    let lines: Set<Int>

    var description: String { "\(kind.rawValue) \(path)" }
}

/// All files that differ from a good one in one key: left out, misspelt, or with a value of the wrong kind.
///
/// Knows nothing of what the keys mean: whoever runs them decides which of them must be refused.
func mutations(of text: String) -> [Mutation] {
    let document = Document.parse(
        Array(text.utf8), name: "mutated.yaml", into: Diagnostics(file: "mutated.yaml"),
        environment: Environment { _ in "1" })
    guard let document else { return [] }
    var mutator = Mutator(text: text)
    mutator.visit(document.root)
    return mutator.mutations
}

private struct Mutator {
    let lines: [[Unicode.Scalar]]
    var mutations: [Mutation] = []

    init(text: String) {
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { Array($0.unicodeScalars) }
    }

    mutating func visit(_ node: Node) {
        for element in node.elements ?? [] { visit(element) }
        guard let mapping = node.mapping else { return }
        for index in mapping.entries.indices {
            drop(index, of: mapping, in: node)
            misspell(mapping.entries[index], in: node)
            retype(mapping.entries[index], in: node)
            visit(mapping.entries[index].value)
        }
    }

    private mutating func add(
        _ kind: Mutation.Kind, _ entry: Mapping.Entry, _ node: Node, _ text: String, _ lines: Set<Int>
    ) {
        mutations.append(
            Mutation(kind: kind, path: entry.value.path, container: node.path, text: text, lines: lines))
    }

    private mutating func misspell(_ entry: Mapping.Entry, in node: Node) {
        let word = entry.key.count > 3 ? entry.key.prefix(2) + entry.key.dropFirst(3) : "z" + entry.key[...]
        let text = replacing(start(entry.keyRange), end(entry.keyRange), with: String(word))
        add(.misspell, entry, node, text, [entry.keyRange.line])
    }

    private mutating func retype(_ entry: Mapping.Entry, in node: Node) {
        let isMapping = entry.value.mapping != nil
        let text = replacing(
            end(entry.keyRange), end(entry.value.range), with: isMapping ? ": [wrong, kind]" : ": { wrong: kind }")
        add(.retype, entry, node, text, [entry.keyRange.line])
    }

    private mutating func drop(_ index: Int, of mapping: Mapping, in node: Node) {
        let entry = mapping.entries[index]
        let text: String
        if index + 1 < mapping.entries.count {
            text = replacing(start(entry.keyRange), start(mapping.entries[index + 1].keyRange), with: "")
        } else if index > 0 {
            text = replacing(end(mapping.entries[index - 1].value.range), end(entry.value.range), with: "")
        } else {
            let isFlow = character(start(node.range)) == "{"
            text = replacing(start(entry.keyRange), end(entry.value.range), with: isFlow ? "" : "{}")
        }
        add(.drop, entry, node, text, [node.keyRange?.line ?? node.range.line, node.range.line])
    }

    private typealias Position = (line: Int, column: Int)

    private func start(_ range: SourceRange) -> Position { (range.line - 1, range.column - 1) }
    private func end(_ range: SourceRange) -> Position { (range.endLine - 1, range.endColumn - 1) }
    private func character(_ position: Position) -> Unicode.Scalar? {
        lines[position.line].dropFirst(position.column).first
    }

    private func replacing(_ start: Position, _ end: Position, with text: String) -> String {
        var changed = lines
        let tail = Array(lines[end.line].dropFirst(end.column))
        changed[start.line] = Array(lines[start.line].prefix(start.column)) + Array(text.unicodeScalars) + tail
        if end.line > start.line { changed.removeSubrange((start.line + 1)...end.line) }
        return changed.map { String(String.UnicodeScalarView($0)) }.joined(separator: "\n")
    }
}
