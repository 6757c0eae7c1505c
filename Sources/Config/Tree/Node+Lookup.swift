extension Node {
    /// Where the value itself stands.
    package var place: Place { Place(range: range, path: trail) }

    /// Where to point for a complaint about this node as a whole: a scalar, else the key that leads to it, else the
    /// first thing in it.
    package var headPlace: Place {
        if case .scalar = kind { return place }
        return Place(range: keyRange ?? firstKeyRange ?? firstLine, path: trail)
    }

    private var firstKeyRange: SourceRange? { mapping?.entries.first?.keyRange }

    private var firstLine: SourceRange {
        guard range.endLine > range.line else { return range }
        return SourceRange(line: range.line, column: range.column, width: 1)
    }

    /// What the node is, for "found …" in a message.
    ///
    /// Never shows a secret.
    package var summary: String {
        switch kind {
        case .null: return "nothing"
        case .sequence: return "a list"
        case .mapping: return "a mapping"
        case .scalar(let scalar):
            let shown = Node.shortened(scalar.reference ?? scalar.text)
            if scalar.isSecret { return "the value of `\(shown)`" }
            return scalar.style == .quoted ? "the text `\"\(shown)\"`" : "`\(shown)`"
        }
    }

    private static func shortened(_ text: String) -> String {
        text.count <= 60 ? text : text.prefix(57) + "..."
    }

    /// Finds what a path below this node (`routes[2].to`) means.
    ///
    /// - Returns: the place of the last node on the way that exists, under the whole path, and that node. `isExact`
    ///   says whether it is the one asked for.
    package func find(_ path: String) -> (node: Node, place: Place, isExact: Bool) {
        var node = self
        var trail = self.trail
        var isExact = true
        var rest = Substring(path)
        while let step = PathStep.next(of: &rest, in: isExact ? node : nil) {
            let child = isExact ? step.child(of: node) : nil
            trail = step.extend(trail)
            isExact = child != nil
            node = child ?? node
        }
        return (node, Place(range: node.headPlace.range, path: trail), isExact)
    }
}

/// One step of a path in text form.
private enum PathStep {
    case key(String)
    case index(Int)

    /// Takes the first step off the text.
    ///
    /// A key that holds dots is found if the mapping has it.
    static func next(of rest: inout Substring, in node: Node?) -> PathStep? {
        if rest.first == "." { rest.removeFirst() }
        guard let first = rest.first else { return nil }
        if let mapping = node?.mapping, mapping.entry(String(rest)) != nil {
            defer { rest = "" }
            return .key(String(rest))
        }
        if first == "[", let end = rest.firstIndex(of: "]"),
            let index = Int(rest[rest.index(after: rest.startIndex)..<end])
        {
            rest = rest[rest.index(after: end)...]
            return .index(index)
        }
        if first == "\"", let end = rest.dropFirst().firstIndex(of: "\"") {
            defer { rest = rest[rest.index(after: end)...] }
            return .key(String(rest[rest.index(after: rest.startIndex)..<end]))
        }
        let end = rest.dropFirst().firstIndex { $0 == "." || $0 == "[" } ?? rest.endIndex
        defer { rest = rest[end...] }
        return .key(String(rest[..<end]))
    }

    func child(of node: Node) -> Node? {
        switch self {
        case .key(let key):
            return node[key]
        case .index(let index):
            guard let elements = node.elements else { return index == 0 && node.scalar != nil ? node : nil }
            return elements.indices.contains(index) ? elements[index] : nil
        }
    }

    func extend(_ path: NodePath) -> NodePath {
        switch self {
        case .key(let key): return path.key(key)
        case .index(let index): return path.index(index)
        }
    }
}
