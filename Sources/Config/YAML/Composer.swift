/// Makes a tree of nodes from libyaml's events, within limits.
///
/// What can be skipped is reported and skipped, so that one run finds many mistakes; what cannot ends the run.
struct Composer {
    /// Thrown when reading cannot go on; the reason has been reported.
    struct Stop: Error {}

    /// How deep collections may stand in each other.
    static let depthLimit = 64
    /// How many nodes aliases may add.
    static let aliasedLimit = 100_000
    /// How many nodes a file may have in all: bounds the memory that a file within the size limit can ask for.
    static let nodeLimit = 500_000

    let source: Source
    let diagnostics: Diagnostics
    let references: References
    let reader: YAMLReader

    /// The nodes that aliases may name.
    var anchors: [String: Node] = [:]
    /// The anchors of the collections that are being read.
    var openAnchors: Set<String> = []
    /// How many nodes aliases have added.
    var aliased = 0
    private var made = 0

    init(source: Source, diagnostics: Diagnostics, references: References) {
        self.source = source
        self.diagnostics = diagnostics
        self.references = references
        self.reader = YAMLReader(source.bytes)
    }

    /// The root of the file's only document.
    mutating func document() throws(Stop) -> Node {
        _ = try next()
        guard case .documentStart = try next().kind else { throw stopEmpty() }
        let root = try node(try next(), trail: .root, keyRange: nil, depth: 0)
        _ = try next()
        let after = try next()
        guard case .streamEnd = after.kind else {
            throw stop(
                .secondDocument, "a second document starts here", at: after.range, .root,
                hint: "a config file is one document")
        }
        guard !root.isNull else { throw stopEmpty() }
        return root
    }

    private mutating func next() throws(Stop) -> YAMLEvent {
        do throws(YAMLProblem) {
            return try reader.next()
        } catch {
            diagnostics.add(SyntaxExplainer(problem: error, source: source).diagnostic)
            throw Stop()
        }
    }

    private mutating func node(
        _ event: YAMLEvent, trail: NodePath, keyRange: SourceRange?, depth: Int
    ) throws(Stop) -> Node {
        if case .alias(let name) = event.kind {
            return try aliasedNode(name, event, trail: trail, keyRange: keyRange)
        }
        made += 1
        guard made <= Composer.nodeLimit else {
            throw stop(.tooLarge, "the file has more than \(Composer.nodeLimit) values", at: event.range, trail)
        }
        if let anchor = event.anchor { openAnchors.insert(anchor) }
        let node = try content(event, trail: trail, keyRange: keyRange, depth: depth)
        if let anchor = event.anchor {
            openAnchors.remove(anchor)
            anchors[anchor] = node
        }
        return node
    }

    private mutating func content(
        _ event: YAMLEvent, trail: NodePath, keyRange: SourceRange?, depth: Int
    ) throws(Stop) -> Node {
        let kind: Node.Kind
        var range = event.range
        switch event.kind {
        case .scalar(let text, let style):
            kind = references.scalar(text, style, event, trail: trail, in: self)
        case .sequenceStart:
            checkTag(event, trail)
            (kind, range) = try sequence(from: event, trail: trail, depth: depth + 1)
        default:
            checkTag(event, trail)
            (kind, range) = try mapping(from: event, trail: trail, depth: depth + 1)
        }
        return Node(kind, range: range, keyRange: keyRange, trail: trail)
    }

    private mutating func sequence(
        from start: YAMLEvent, trail: NodePath, depth: Int
    ) throws(Stop) -> (Node.Kind, SourceRange) {
        try checkDepth(depth, start, trail)
        var elements: [Node] = []
        while true {
            let event = try next()
            if case .sequenceEnd = event.kind {
                return (.sequence(elements), extent(from: start, to: event, last: elements.last))
            }
            let child = trail.index(elements.count)
            elements.append(try node(event, trail: child, keyRange: nil, depth: depth))
        }
    }

    private mutating func mapping(
        from start: YAMLEvent, trail: NodePath, depth: Int
    ) throws(Stop) -> (Node.Kind, SourceRange) {
        try checkDepth(depth, start, trail)
        var entries: [Mapping.Entry] = []
        var seen: [String: SourceRange] = [:]
        while true {
            let event = try next()
            if case .mappingEnd = event.kind {
                return (.mapping(Mapping(entries)), extent(from: start, to: event, last: entries.last?.value))
            }
            let key = try keyText(event, trail)
            let path = trail.key(key)
            let value = try node(try next(), trail: path, keyRange: event.range, depth: depth)
            if let first = seen[key] {
                reportDuplicate(key, at: event.range, first: first, path)
            } else if key == "<<", event.range.endColumn - event.range.column == 2 {
                diagnostics.error(
                    .badAlias, "merge keys (`<<`) are not part of YAML 1.2",
                    at: Place(range: event.range, path: trail), hint: "repeat the keys, or alias a whole value")
            } else {
                seen[key] = event.range
                entries.append(Mapping.Entry(key: key, keyRange: event.range, value: value))
            }
        }
    }

    private func keyText(_ event: YAMLEvent, _ trail: NodePath) throws(Stop) -> String {
        guard case .scalar(let text, let style) = event.kind else {
            throw stop(
                .syntax, "a key must be a word", at: event.range, trail,
                hint: "put text that begins with `{`, `[` or `*` in quotes")
        }
        guard !text.isEmpty || style == .quoted else {
            throw stop(.syntax, "a key is missing before this `:`", at: event.range, trail)
        }
        return text
    }

    private func reportDuplicate(_ key: String, at range: SourceRange, first: SourceRange, _ path: NodePath) {
        let related = Diagnostic.Related("first written here", at: Place(range: first, path: path))
        diagnostics.error(
            .duplicateKey, "the key `\(key)` is written twice", at: Place(range: range, path: path),
            hint: "keep one of them", related: [related])
    }

    private func extent(from start: YAMLEvent, to end: YAMLEvent, last: Node?) -> SourceRange {
        // The end event of a block collection stands at whatever comes next in the file.
        let isFlow = end.range.line != end.range.endLine || end.range.column != end.range.endColumn
        let stop = isFlow ? end.range : last?.range ?? start.range
        return SourceRange(
            line: start.range.line, column: start.range.column, endLine: stop.endLine, endColumn: stop.endColumn)
    }

    private func checkDepth(_ depth: Int, _ event: YAMLEvent, _ trail: NodePath) throws(Stop) {
        guard depth > Composer.depthLimit else { return }
        throw stop(.tooLarge, "lists and mappings stand more than \(Composer.depthLimit) deep", at: event.range, .root)
    }

    private func checkTag(_ event: YAMLEvent, _ trail: NodePath) {
        guard let tag = event.tag, !["!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"].contains(tag) else {
            return
        }
        reportTag(tag, event, trail)
    }

    /// Reports a tag that means nothing here.
    func reportTag(_ tag: String, _ event: YAMLEvent, _ trail: NodePath) {
        diagnostics.error(
            .unknownTag, "unknown tag `\(tag)`", at: Place(range: event.range, path: trail),
            hint: "the only tag is `!file PATH`; put text that begins with `!` in quotes")
    }

    private func stopEmpty() -> Stop {
        diagnostics.error(.emptyFile, "the file is empty", at: nil, hint: "it needs at least `listeners:`")
        return Stop()
    }

    /// Reports what ends the run.
    func stop(
        _ code: DiagnosticCode, _ message: String, at range: SourceRange, _ trail: NodePath, hint: String? = nil
    ) -> Stop {
        diagnostics.error(code, message, at: Place(range: range, path: trail), hint: hint)
        return Stop()
    }
}
