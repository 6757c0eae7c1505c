/// Settings for other filters, kept as they stand in the file until it is known which filters there are.
///
/// A property of this type takes any mapping from filter names to settings. Hand it to
/// ``WorkerContext/routeSettings(_:)``.
public struct RawRouteSettings: Codable, Sendable {
    /// The config layer's own form of the mapping; nil where the file has none.
    package var node: (any Sendable)?

    /// No settings.
    public init() {}

    /// From the config layer only.
    public init(from decoder: any Decoder) throws {}

    /// Shows nothing.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encodeNil()
    }
}
