/// What went wrong on the data path: the one error that filters and codecs throw.
///
/// A fault says what happened, whose doing it was, and whether the request may be tried again; one place in the host
/// (`Rescue`) turns it into a status, a reset, a log line and a counter. Making one does not allocate.
public struct Fault: Error, Sendable {
    /// What happened.
    public var kind: Kind
    /// Whose doing it was.
    public var origin: Origin
    /// Whether the request may be sent once more.
    public var replay: Replay
    /// A stable word for this cause, for counters and logs: `http1.bare_lf`, `upstream.connect_refused`.
    public var reason: StaticString

    /// A fault.
    public init(_ kind: Kind, _ reason: StaticString, origin: Origin? = nil, replay: Replay = .never) {
        self.kind = kind
        self.origin = origin ?? kind.usualOrigin
        self.replay = replay
        self.reason = reason
    }

    /// Whose doing a fault was.
    public enum Origin: UInt8, Sendable {
        /// The client, or the network between it and Sluice.
        case client
        /// The upstream, or the network between it and Sluice.
        case upstream
        /// Sluice itself: its limits, its config, a filter.
        case sluice
    }

    /// Whether a request may be sent once more.
    public enum Replay: UInt8, Sendable {
        /// The upstream may have acted on it.
        case never
        /// Only where the method is idempotent.
        case ifIdempotent
        /// No byte of it reached an upstream.
        case always
    }

    /// What happened, each with the status that it becomes.
    public enum Kind: UInt8, Sendable, CaseIterable {
        /// The client's message breaks the protocol: 400.
        case badRequest
        /// The client took too long: 408.
        case requestTimeout
        /// The body is over the limit: 413.
        case bodyTooLarge
        /// The target is over the limit: 414.
        case targetTooLong
        /// An expectation nobody can meet: 417.
        case expectationFailed
        /// The request was not meant for this listener: 421.
        case misdirected
        /// Too many or too long fields: 431.
        case headTooLarge
        /// A coding or method that is not supported: 501.
        case notImplemented
        /// A version that is not supported: 505.
        case versionNotSupported
        /// No route matched: 404, NR.
        case noRoute
        /// The route's cluster does not exist: 503, NC.
        case noCluster
        /// The cluster has no endpoint that may be used: 503, UH.
        case noEndpoint
        /// The name of the endpoint could not be resolved: 503, DF.
        case nameNotResolved
        /// A connection could not be made: 503, UF.
        case connectFailed
        /// A connection was not made in time: 503, UF.
        case connectTimeout
        /// A connection to the upstream could not be secured: 503, UF.
        case handshakeFailed
        /// A limit of the cluster is reached: 503, UO.
        case overflow
        /// The upstream closed or reset before it answered: 503, UC.
        case upstreamClosed
        /// The upstream reset the stream: 503, UR.
        case upstreamReset
        /// The upstream's message breaks the protocol: 502, UPE.
        case upstreamProtocol
        /// The upstream took too long: 504, UT.
        case upstreamTimeout
        /// Nothing moved for too long: 408 or 504, SI.
        case idleTimeout
        /// The client went away: no answer, DC.
        case clientGone
        /// A filter failed: 500.
        case filterFailed
        /// A filter held a stream and would never let go: 500.
        case filterStalled
        /// Sluice is over its own limits: 503, OM.
        case overloaded
        /// Sluice is shutting down: 503.
        case draining

        var usualOrigin: Origin {
            switch self {
            case .badRequest, .requestTimeout, .bodyTooLarge, .targetTooLong, .expectationFailed, .misdirected,
                .headTooLarge, .notImplemented, .versionNotSupported, .clientGone:
                .client
            case .nameNotResolved, .connectFailed, .connectTimeout, .handshakeFailed, .upstreamClosed, .upstreamReset,
                .upstreamProtocol, .upstreamTimeout:
                .upstream
            default: .sluice
            }
        }
    }
}
