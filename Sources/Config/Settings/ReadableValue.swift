import FilterAPI

/// A type that reads itself from a node without `init(from:)`, and so can say what it expects.
protocol ReadableValue {
    /// Something to go on with after an error.
    static var placeholder: Self { get }
    /// Whether a key without a value means something.
    static var acceptsNull: Bool { get }
    /// Reads a node; reports what is wrong with it and returns nil if something is.
    static func read(_ node: Node, _ run: DecodingRun) -> Self?
}

extension ReadableValue {
    static var acceptsNull: Bool { false }
}

extension Optional: ReadableValue where Wrapped: Decodable {
    static var placeholder: Self { nil }
    static var acceptsNull: Bool { true }

    static func read(_ node: Node, _ run: DecodingRun) -> Self? {
        node.isNull ? .some(nil) : run.value(Wrapped.self, from: node, slot: nil).map(Optional.some)
    }
}

extension RawRouteSettings: ReadableValue {
    static var placeholder: Self { RawRouteSettings() }

    static func read(_ node: Node, _ run: DecodingRun) -> Self? {
        guard node.mapping != nil else {
            run.refuseType("a mapping of filters to their settings", node)
            return nil
        }
        var settings = RawRouteSettings()
        settings.node = node
        return settings
    }
}

extension Array: ReadableValue where Element: Decodable {
    static var placeholder: Self { [] }

    static func read(_ node: Node, _ run: DecodingRun) -> Self? {
        switch node.kind {
        case .sequence(let nodes):
            var elements: Self = []
            elements.reserveCapacity(nodes.count)
            for node in nodes {
                if let element = run.value(Element.self, from: node, slot: nil) ?? run.placeholder(Element.self) {
                    elements.append(element)
                }
            }
            // With an element missing, numbers in later complaints would be those of other elements.
            if elements.count != nodes.count { run.fail(at: node.trail) }
            return elements
        case .scalar:
            return single(node, run)
        case .mapping(let mapping) where isElement(mapping, run):
            return run.value(Element.self, from: node, slot: nil).map { [$0] }
        default:
            run.refuseType("a list", node, hint: "begin each element with `- `")
            return nil
        }
    }

    /// Whether a mapping stands for one element: it has at least one of its keys.
    private static func isElement(_ mapping: Mapping, _ run: DecodingRun) -> Bool {
        guard let settings = Element.self as? any SettingsStruct.Type,
            let template = run.decoder.template(of: settings)
        else { return false }
        return mapping.entries.contains { template.accepts($0.key) }
    }

    /// One element may stand without a list.
    private static func single(_ node: Node, _ run: DecodingRun) -> Self? {
        guard let settings = Element.self as? any SettingsStruct.Type else {
            return run.value(Element.self, from: node, slot: nil).map { [$0] }
        }
        guard let element = run.shorthand(settings, from: node) as? Element else {
            run.refuseType("a list", node, hint: "begin each element with `- `")
            return nil
        }
        return [element]
    }
}

extension Dictionary: ReadableValue where Key == String, Value: Decodable {
    static var placeholder: Self { [:] }

    static func read(_ node: Node, _ run: DecodingRun) -> Self? {
        guard let mapping = node.mapping else {
            run.refuseType("a mapping", node)
            return nil
        }
        var result: Self = [:]
        result.reserveCapacity(mapping.entries.count)
        for entry in mapping.entries {
            result[entry.key] = run.value(Value.self, from: entry.value, slot: nil) ?? run.placeholder(Value.self)
        }
        return result
    }
}
