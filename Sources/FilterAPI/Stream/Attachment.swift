/// A cluster, by its place in the process's table of names; stays valid over reloads.
public struct ClusterID: Sendable, Hashable {
    package var index: Int

    package init(index: Int) { self.index = index }
}

/// How a terminal wants its cluster used for one stream.
///
/// Make it once, with the filter, and hand the same one to each stream.
public struct Attachment: Sendable {
    // Kept in nanoseconds: the conversion is a division of 128 bits, and this is looked at for every request.
    package private(set) var timeoutNanoseconds: UInt64 = 15_000_000_000
    package private(set) var idleNanoseconds: UInt64 = Self.unset
    private static let unset = UInt64.max

    /// A hash that picks the endpoint, for balancers that use one.
    public var hash: UInt64?
    /// Whether an upgrade that the client asks for may be passed on.
    public var allowsUpgrade = false

    /// The defaults: 15 seconds for the answer.
    public init() {}

    /// Time for the whole answer, from the end of the request; nil for none.
    public var timeout: Duration? {
        get { timeoutNanoseconds == 0 ? nil : .nanoseconds(Int64(clamping: timeoutNanoseconds)) }
        set { timeoutNanoseconds = newValue?.wholeNanoseconds ?? 0 }
    }

    /// Time in which nothing moves in either direction; nil for the host's default, zero for none.
    public var idleTimeout: Duration? {
        get { idleNanoseconds == Self.unset ? nil : .nanoseconds(Int64(clamping: idleNanoseconds)) }
        set { idleNanoseconds = newValue?.wholeNanoseconds ?? Self.unset }
    }

    /// The idle limit in nanoseconds, 0 for none.
    package func idleLimit(otherwise usual: UInt64) -> UInt64 {
        idleNanoseconds == Self.unset ? usual : idleNanoseconds
    }
}
