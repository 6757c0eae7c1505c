/// One value of a config file, with its place.
///
/// Immutable, and may be read from any thread.
package final class Node: Sendable {
    /// What a node holds.
    package enum Kind: Sendable {
        /// Nothing: `key:`, `~` or `null`.
        case null
        /// A single value.
        case scalar(Scalar)
        /// A list.
        case sequence([Node])
        /// Keys and values.
        case mapping(Mapping)
    }

    /// What it holds.
    package let kind: Kind
    /// Where the value stands.
    ///
    /// For something that came by an alias: where it was written first.
    package let range: SourceRange
    /// Where the key that leads here stands; nil for elements of a list and for the root.
    package let keyRange: SourceRange?
    /// The way from the root to here.
    package let trail: NodePath

    init(_ kind: Kind, range: SourceRange, keyRange: SourceRange?, trail: NodePath) {
        self.kind = kind
        self.range = range
        self.keyRange = keyRange
        self.trail = trail
    }

    /// The way from the root to here as text: `listeners.inbound.chain[2].router.to`.
    package var path: String { trail.description }

    /// The pairs, if this is a mapping.
    package var mapping: Mapping? {
        guard case .mapping(let mapping) = kind else { return nil }
        return mapping
    }

    /// The elements, if this is a list.
    package var elements: [Node]? {
        guard case .sequence(let elements) = kind else { return nil }
        return elements
    }

    /// The scalar, if this is one.
    package var scalar: Scalar? {
        guard case .scalar(let scalar) = kind else { return nil }
        return scalar
    }

    /// The text of a scalar whose references could be resolved.
    package var text: String? {
        guard let scalar, !scalar.isBroken else { return nil }
        return scalar.text
    }

    /// Whether there is no value.
    package var isNull: Bool {
        guard case .null = kind else { return false }
        return true
    }

    /// Whether this is a value that came from the environment or from another file, and is never shown.
    package var isSecret: Bool { scalar?.isSecret ?? false }

    /// The value under a key of a mapping.
    package subscript(key: String) -> Node? { mapping?[key] }
}
