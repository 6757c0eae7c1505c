/// A part of the config file that is kept as it is written, because only the host knows whose settings it is.
///
/// A filter that carries settings for other filters (a route's settings for `gzip`, say) declares a property of this
/// type; the host decodes them for the filter that they belong to.
public struct RawSettings: Codable, Sendable {
    /// What the host keeps here.
    package let storage: (any AnyObject & Sendable)?

    /// Nothing.
    public init() { storage = nil }

    package init(storage: any AnyObject & Sendable) { self.storage = storage }

    /// Reads nothing: the host's decoder keeps the part itself.
    public init(from decoder: any Decoder) throws { storage = nil }

    /// Writes nothing: the part has no form outside the config file.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encodeNil()
    }
}
