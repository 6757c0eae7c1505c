/// Why a request did not simply succeed, by the names that Envoy's users know.
public struct ResponseFlags: OptionSet, Sendable {
    /// One bit per flag.
    public let rawValue: UInt32

    /// From bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// UH: no endpoint may be used.
    public static let noHealthyUpstream = ResponseFlags(rawValue: 1 << 0)
    /// UF: a connection could not be made.
    public static let upstreamConnectionFailure = ResponseFlags(rawValue: 1 << 1)
    /// UO: a limit of the cluster was reached.
    public static let upstreamOverflow = ResponseFlags(rawValue: 1 << 2)
    /// NR: no route matched.
    public static let noRouteFound = ResponseFlags(rawValue: 1 << 3)
    /// URX: all tries were used up.
    public static let upstreamRetryLimitExceeded = ResponseFlags(rawValue: 1 << 4)
    /// NC: the route's cluster does not exist.
    public static let noClusterFound = ResponseFlags(rawValue: 1 << 5)
    /// DT: the stream or connection was open for too long.
    public static let durationTimeout = ResponseFlags(rawValue: 1 << 6)
    /// DC: the client went away.
    public static let downstreamConnectionTermination = ResponseFlags(rawValue: 1 << 7)
    /// UT: the upstream did not answer in time.
    public static let upstreamRequestTimeout = ResponseFlags(rawValue: 1 << 8)
    /// LR: Sluice reset the stream.
    public static let localReset = ResponseFlags(rawValue: 1 << 9)
    /// UR: the upstream reset the stream.
    public static let upstreamRemoteReset = ResponseFlags(rawValue: 1 << 10)
    /// UC: the upstream closed the connection.
    public static let upstreamConnectionTermination = ResponseFlags(rawValue: 1 << 11)
    /// DI: a delay was injected.
    public static let delayInjected = ResponseFlags(rawValue: 1 << 12)
    /// FI: a fault was injected.
    public static let faultInjected = ResponseFlags(rawValue: 1 << 13)
    /// RL: over a rate limit.
    public static let rateLimited = ResponseFlags(rawValue: 1 << 14)
    /// UAEX: an authorisation service said no.
    public static let unauthorizedExternalService = ResponseFlags(rawValue: 1 << 15)
    /// SI: nothing moved for too long.
    public static let streamIdleTimeout = ResponseFlags(rawValue: 1 << 16)
    /// DPE: the client broke the protocol.
    public static let downstreamProtocolError = ResponseFlags(rawValue: 1 << 17)
    /// UPE: the upstream broke the protocol.
    public static let upstreamProtocolError = ResponseFlags(rawValue: 1 << 18)
    /// OM: Sluice was over its own limits.
    public static let overloadManagerTerminated = ResponseFlags(rawValue: 1 << 19)
    /// DF: the name of the endpoint could not be resolved.
    public static let dnsResolutionFailed = ResponseFlags(rawValue: 1 << 20)
    /// DR: the client reset the stream.
    public static let downstreamRemoteReset = ResponseFlags(rawValue: 1 << 21)

    /// Short names by bit.
    private static let names: [StaticString] = [
        "UH", "UF", "UO", "NR", "URX", "NC", "DT", "DC", "UT", "LR", "UR", "UC", "DI", "FI", "RL", "UAEX", "SI", "DPE",
        "UPE", "OM", "DF", "DR",
    ]

    /// The short names, in the order of the bits.
    public var shortNames: [StaticString] {
        Self.names.indices.filter { rawValue & (1 << UInt32($0)) != 0 }.map { Self.names[$0] }
    }

    /// Shows the short names, in the order of the bits, without making a list of them.
    package func forEachShortName(_ body: (StaticString) -> Void) {
        var rest = rawValue
        while rest != 0 {
            let bit = rest.trailingZeroBitCount
            rest &= rest &- 1
            if bit < Self.names.count { body(Self.names[bit]) }
        }
    }
}
