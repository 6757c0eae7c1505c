/// A part of the file that is kept as it stands, to be read later by somebody who knows more.
///
/// As a property of a settings struct it takes any value at its key.
package struct RawNode: Codable, Sendable {
    /// The node; nil where the file has nothing at the key.
    package var node: Node?

    /// Nothing.
    package init() {}

    /// For the decoder of this module only, which sets ``node``.
    package init(from decoder: any Decoder) throws {}

    /// Shows nothing.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encodeNil()
    }
}
