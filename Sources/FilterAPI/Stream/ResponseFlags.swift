/// Why a request did not simply succeed, by the names that Envoy's users know.
public struct ResponseFlags: OptionSet, Sendable {
    /// One bit per flag.
    public let rawValue: UInt32

    /// From bits.
    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// UH: no endpoint may be used.
    @inlinable public static var noHealthyUpstream: ResponseFlags { ResponseFlags(rawValue: 1 << 0) }
    /// UF: a connection could not be made.
    @inlinable public static var upstreamConnectionFailure: ResponseFlags { ResponseFlags(rawValue: 1 << 1) }
    /// UO: a limit of the cluster was reached.
    @inlinable public static var upstreamOverflow: ResponseFlags { ResponseFlags(rawValue: 1 << 2) }
    /// NR: no route matched.
    @inlinable public static var noRouteFound: ResponseFlags { ResponseFlags(rawValue: 1 << 3) }
    /// URX: all tries were used up.
    @inlinable public static var upstreamRetryLimitExceeded: ResponseFlags { ResponseFlags(rawValue: 1 << 4) }
    /// NC: the route's cluster does not exist.
    @inlinable public static var noClusterFound: ResponseFlags { ResponseFlags(rawValue: 1 << 5) }
    /// DT: the stream or connection was open for too long.
    @inlinable public static var durationTimeout: ResponseFlags { ResponseFlags(rawValue: 1 << 6) }
    /// DC: the client went away.
    @inlinable public static var downstreamConnectionTermination: ResponseFlags { ResponseFlags(rawValue: 1 << 7) }
    /// UT: the upstream did not answer in time.
    @inlinable public static var upstreamRequestTimeout: ResponseFlags { ResponseFlags(rawValue: 1 << 8) }
    /// LR: Sluice reset the stream.
    @inlinable public static var localReset: ResponseFlags { ResponseFlags(rawValue: 1 << 9) }
    /// UR: the upstream reset the stream.
    @inlinable public static var upstreamRemoteReset: ResponseFlags { ResponseFlags(rawValue: 1 << 10) }
    /// UC: the upstream closed the connection.
    @inlinable public static var upstreamConnectionTermination: ResponseFlags { ResponseFlags(rawValue: 1 << 11) }
    /// DI: a delay was injected.
    @inlinable public static var delayInjected: ResponseFlags { ResponseFlags(rawValue: 1 << 12) }
    /// FI: a fault was injected.
    @inlinable public static var faultInjected: ResponseFlags { ResponseFlags(rawValue: 1 << 13) }
    /// RL: over a rate limit.
    @inlinable public static var rateLimited: ResponseFlags { ResponseFlags(rawValue: 1 << 14) }
    /// UAEX: an authorisation service said no.
    @inlinable public static var unauthorizedExternalService: ResponseFlags { ResponseFlags(rawValue: 1 << 15) }
    /// SI: nothing moved for too long.
    @inlinable public static var streamIdleTimeout: ResponseFlags { ResponseFlags(rawValue: 1 << 16) }
    /// DPE: the client broke the protocol.
    @inlinable public static var downstreamProtocolError: ResponseFlags { ResponseFlags(rawValue: 1 << 17) }
    /// UPE: the upstream broke the protocol.
    @inlinable public static var upstreamProtocolError: ResponseFlags { ResponseFlags(rawValue: 1 << 18) }
    /// OM: Sluice was over its own limits.
    @inlinable public static var overloadManagerTerminated: ResponseFlags { ResponseFlags(rawValue: 1 << 19) }
    /// DF: the name of the endpoint could not be resolved.
    @inlinable public static var dnsResolutionFailed: ResponseFlags { ResponseFlags(rawValue: 1 << 20) }
    /// DR: the client reset the stream.
    @inlinable public static var downstreamRemoteReset: ResponseFlags { ResponseFlags(rawValue: 1 << 21) }

    /// The names by bit: short and long.
    private static let names: [(short: StaticString, long: StaticString)] = [
        ("UH", "NoHealthyUpstream"), ("UF", "UpstreamConnectionFailure"), ("UO", "UpstreamOverflow"),
        ("NR", "NoRouteFound"), ("URX", "UpstreamRetryLimitExceeded"), ("NC", "NoClusterFound"),
        ("DT", "DurationTimeout"), ("DC", "DownstreamConnectionTermination"), ("UT", "UpstreamRequestTimeout"),
        ("LR", "LocalReset"), ("UR", "UpstreamRemoteReset"), ("UC", "UpstreamConnectionTermination"),
        ("DI", "DelayInjected"), ("FI", "FaultInjected"), ("RL", "RateLimited"),
        ("UAEX", "UnauthorizedExternalService"), ("SI", "StreamIdleTimeout"), ("DPE", "DownstreamProtocolError"),
        ("UPE", "UpstreamProtocolError"), ("OM", "OverloadManagerTerminated"), ("DF", "DnsResolutionFailed"),
        ("DR", "DownstreamRemoteReset"),
    ]

    /// All flags that there are, in the order of the bits.
    public static var all: [ResponseFlags] { names.indices.map { ResponseFlags(rawValue: 1 << UInt32($0)) } }

    /// The flag of a short or a long name; nil where none has it.
    public init?(named name: String) {
        let index = Self.names.firstIndex { name == "\($0.short)" || name == "\($0.long)" }
        guard let index else { return nil }
        self.init(rawValue: 1 << UInt32(index))
    }

    /// The short names, in the order of the bits.
    public var shortNames: [StaticString] {
        Self.names.indices.filter { rawValue & (1 << UInt32($0)) != 0 }.map { Self.names[$0].short }
    }

    /// The long names, in the order of the bits.
    public var longNames: [StaticString] {
        Self.names.indices.filter { rawValue & (1 << UInt32($0)) != 0 }.map { Self.names[$0].long }
    }

    /// Shows the names, in the order of the bits, without making a list of them.
    package func forEachName(_ body: (_ short: StaticString, _ long: StaticString) -> Void) {
        var rest = rawValue
        while rest != 0 {
            let bit = rest.trailingZeroBitCount
            rest &= rest &- 1
            if bit < Self.names.count { body(Self.names[bit].short, Self.names[bit].long) }
        }
    }
}
