package import FilterAPI

/// Settings as they are in force, defaults included, in the words of the file: for showing them.
package indirect enum SettingsTree: Sendable {
    /// No value.
    case null
    /// A boolean.
    case bool(Bool)
    /// A number as text.
    case number(String)
    /// Text, a word, a duration, a size.
    case text(String)
    /// A list.
    case list([SettingsTree])
    /// Keys and values in the order of the settings.
    case mapping([(key: String, value: SettingsTree)])

    /// The settings as a tree.
    ///
    /// - Parameter node: what they were decoded from; values that came from the environment or from files are shown
    ///   as the file refers to them.
    package init(_ settings: any SettingsStruct, from node: Node?) { self.init(value: settings, node) }

    /// The tree as one line of JSON.
    package var json: String {
        switch self {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .number(let text): return text
        case .text(let text): return JSONText.quoted(text)
        case .list(let elements): return "[\(elements.map(\.json).joined(separator: ","))]"
        case .mapping(let entries):
            return "{\(entries.map { "\(JSONText.quoted($0.key)):\($0.value.json)" }.joined(separator: ","))}"
        }
    }

    private init(value: Any?, _ node: Node?) {
        if let scalar = node?.scalar, scalar.isSecret {
            self = .text(scalar.reference ?? "")
            return
        }
        switch value {
        case nil: self = .null
        case let value as Bool: self = .bool(value)
        case let value as String: self = .text(value)
        case let value as Duration: self = .text(DurationText.write(value))
        case let value as ByteSize: self = .text(SizeText.write(value.bytes))
        case let value as Percent: self = .text(PercentText.write(value.millionths))
        case let value as RawNode: self = value.node.map { SettingsTree(node: $0) } ?? .null
        case let value as RawRouteSettings: self = (value.node as? Node).map { SettingsTree(node: $0) } ?? .mapping([])
        case let value as any RawRepresentable<String>: self = .text(value.rawValue)
        case let value as any BinaryInteger: self = .number("\(value)")
        case let value as any BinaryFloatingPoint: self = .number("\(value)")
        default: self.init(collection: value, node)
        }
    }

    private init(collection value: Any?, _ node: Node?) {
        if let elements = value as? [Any] {
            let nodes = node?.elements ?? []
            self = .list(
                elements.enumerated().map { index, element in
                    SettingsTree(value: element, nodes.indices.contains(index) ? nodes[index] : nil)
                })
        } else if let members = value as? [String: Any] {
            let sorted = members.sorted { $0.key < $1.key }
            self = .mapping(sorted.map { ($0.key, SettingsTree(value: $0.value, node?[$0.key])) })
        } else if let value = value as? any Encodable, let template = Template(learning: value) {
            self = .mapping(
                template.keys.map { ($0.fileName, SettingsTree(value: $0.fallback, node?[$0.fileName])) })
        } else {
            self = .null
        }
    }

    /// A part of the file as it stands.
    private init(node: Node) {
        switch node.kind {
        case .null: self = .null
        case .scalar(let scalar): self = .text(scalar.reference ?? scalar.text)
        case .sequence(let elements): self = .list(elements.map { SettingsTree(node: $0) })
        case .mapping(let mapping): self = .mapping(mapping.entries.map { ($0.key, SettingsTree(node: $0.value)) })
        }
    }
}
