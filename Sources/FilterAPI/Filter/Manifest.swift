/// What the host and the operator need to know of a filter before one is made.
public struct Manifest: Sendable {
    /// The name in config files, in snake case.
    public var id: String
    /// One sentence on what it does.
    public var summary: String
    /// Whether its interface may still change.
    public var status: Status
    /// From whom it may be given bytes without fear.
    public var posture: Posture
    /// What must be offered by a filter above it in the chain, such as `tls.identity`; or ``clientConnection``.
    public var needs: [String]
    /// What it offers to the filters below it.
    public var offers: [String]
    /// The counters, gauges and histograms that it asks for.
    public var stats: [StatDescription]
    /// The reasons that it gives to faults and to logs.
    public var reasons: [ReasonDescription]

    /// The need of a byte filter in a cluster's chain for ``ConnectionFacts/client``: the config is refused where
    /// anything but a byte terminal, such as `tcp_proxy`, uses the cluster. In a listener's chain it asks for nothing.
    public static let clientConnection = "client.connection"

    /// Describes a filter.
    public init(
        id: String, summary: String, status: Status = .stable, posture: Posture = .clientAndUpstream,
        needs: [String] = [], offers: [String] = [], stats: [StatDescription] = [],
        reasons: [ReasonDescription] = []
    ) {
        self.id = id
        self.summary = summary
        self.status = status
        self.posture = posture
        self.needs = needs
        self.offers = offers
        self.stats = stats
        self.reasons = reasons
    }

    /// Whether a filter's interface may still change.
    public enum Status: String, Sendable {
        /// Settings and behaviour stay.
        case stable
        /// May change in any release.
        case trial
    }

    /// Whose bytes a filter is hardened against.
    public enum Posture: String, Sendable {
        /// Any client, trusted upstreams.
        case client
        /// Anyone.
        case clientAndUpstream = "client-and-upstream"
        /// Trusted peers only.
        case neither
    }
}
