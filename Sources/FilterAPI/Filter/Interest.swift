/// The events that a filter wants to see at all; what is not in it costs nothing.
public struct Interest: OptionSet, Sendable {
    /// One bit per event.
    public let rawValue: UInt16

    /// From bits.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The head of a request.
    public static let requestHead = Interest(rawValue: 1 << 0)
    /// The bytes of a request's body, or bytes from the client.
    public static let requestBody = Interest(rawValue: 1 << 1)
    /// The trailers of a request.
    public static let requestTrailers = Interest(rawValue: 1 << 2)
    /// The head of a response.
    public static let responseHead = Interest(rawValue: 1 << 3)
    /// The bytes of a response's body, or bytes from the upstream.
    public static let responseBody = Interest(rawValue: 1 << 4)
    /// The trailers of a response.
    public static let responseTrailers = Interest(rawValue: 1 << 5)
    /// Heads with status 1xx.
    public static let interimHead = Interest(rawValue: 1 << 6)
    /// A fault below, before it becomes an answer.
    public static let faultBelow = Interest(rawValue: 1 << 7)
    /// The beginning and the end of each stream: state, and ``EventFilter/close(_:_:_:)``.
    public static let lifetime = Interest(rawValue: 1 << 8)
    /// The terminal has attached a cluster, and the request is about to go there.
    public static let clusterAttached = Interest(rawValue: 1 << 9)
    /// An endpoint was picked for the request, or for a further try of it.
    public static let endpointPicked = Interest(rawValue: 1 << 10)

    /// Both heads.
    public static let heads: Interest = [.requestHead, .responseHead]
    /// Everything.
    public static let all = Interest(rawValue: 0x7FF)
}
