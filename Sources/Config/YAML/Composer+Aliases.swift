extension Composer {
    /// The node that an alias names, copied to the place of the alias.
    mutating func aliasedNode(
        _ name: String, _ event: YAMLEvent, trail: NodePath, keyRange: SourceRange?
    ) throws(Stop) -> Node {
        if let node = anchors[name], !openAnchors.contains(name) {
            return try copy(node, trail: trail, keyRange: keyRange, alias: event)
        }
        let isOpen = openAnchors.contains(name)
        throw stop(
            .badAlias, isOpen ? "the alias `*\(name)` stands inside its own anchor" : "there is no anchor `&\(name)`",
            at: event.range, trail, hint: isOpen ? nil : "put text that begins with `*` in quotes")
    }

    private mutating func copy(
        _ node: Node, trail: NodePath, keyRange: SourceRange?, alias: YAMLEvent
    ) throws(Stop) -> Node {
        aliased += 1
        guard aliased <= Composer.aliasedLimit else {
            throw stop(
                .tooLarge, "aliases make the file larger than \(Composer.aliasedLimit) values", at: alias.range, .root)
        }
        var kind = node.kind
        switch node.kind {
        case .sequence(let elements):
            var copies: [Node] = []
            for (index, element) in elements.enumerated() {
                copies.append(try copy(element, trail: trail.index(index), keyRange: nil, alias: alias))
            }
            kind = .sequence(copies)
        case .mapping(let mapping):
            var copies: [Mapping.Entry] = []
            for entry in mapping.entries {
                let value = try copy(
                    entry.value, trail: trail.key(entry.key), keyRange: entry.keyRange, alias: alias)
                copies.append(Mapping.Entry(key: entry.key, keyRange: entry.keyRange, value: value))
            }
            kind = .mapping(Mapping(copies))
        default: break
        }
        return Node(kind, range: node.range, keyRange: keyRange, trail: trail)
    }
}
