/// A part of the config file that is kept as it stands, to be decoded when it is known what it belongs to.
///
/// For properties of the host's own settings, such as the elements of a chain.
package struct RawNode: Codable, Sendable {
    /// The part; nil if the file does not have it.
    package let node: Node?

    /// Nothing.
    package init() { node = nil }

    init(_ node: Node) { self.node = node }

    /// Reads nothing: ``SettingsDecoder`` keeps the part itself.
    package init(from decoder: any Decoder) throws { node = nil }

    /// Writes nothing: the part has no form outside the file.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encodeNil()
    }
}

extension RawNode: ReadableValue {
    static var placeholder: Self { RawNode() }
    static var acceptsNull: Bool { true }
    static func read(_ node: Node, _ run: DecodingRun) -> Self? { RawNode(node) }
}
