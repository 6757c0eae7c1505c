/// A limit that requests run into, in words; made once with the limit, and handed to each request that it stops.
public final class ReachedLimit: Sendable {
    /// For the client: which limit, and its value: `max_requests (200) of cluster app is reached`.
    public let text: String
    /// Where the config sets it: `sluice.yaml:12:9`. For the operator only; empty where it is a default.
    public let place: String

    /// For logs: the text, and where the limit is set.
    public let line: String

    /// From its parts.
    public init(text: String, place: String) {
        self.text = text
        self.place = place
        line = place.isEmpty ? "\(text) (default)" : "\(text), set at \(place)"
    }
}
