/// A cluster, by its place in the process's table of names; stays valid over reloads.
public struct ClusterID: Sendable, Hashable {
    package var index: Int

    package init(index: Int) { self.index = index }
}

/// How a terminal wants its cluster used for one stream.
public struct Attachment: Sendable {
    /// Time for the whole answer, from the end of the request; nil for none.
    public var timeout: Duration?
    /// Time in which nothing moves in either direction; nil for the host's default.
    public var idleTimeout: Duration?
    /// A hash that picks the endpoint, for balancers that use one.
    public var hash: UInt64?
    /// Whether an upgrade that the client asks for may be passed on.
    public var allowsUpgrade = false

    /// The defaults: 15 seconds.
    public init() { timeout = .seconds(15) }
}
