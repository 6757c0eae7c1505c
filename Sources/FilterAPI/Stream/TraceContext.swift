/// Which trace a request belongs to, and as what Sluice has gone on with it.
public struct TraceContext: Sendable, Equatable {
    /// The trace.
    public var trace: TraceID
    /// What Sluice does for the request, as one span of the trace: what the upstream does is below it.
    public var span: UInt64
    /// The span of whoever sent the request; 0 where the trace begins here.
    public var parent: UInt64
    /// What else is known of the trace.
    public var flags: TraceFlags

    /// From its parts.
    @inlinable
    public init(trace: TraceID, span: UInt64, parent: UInt64 = 0, flags: TraceFlags = []) {
        self.trace = trace
        self.span = span
        self.parent = parent
        self.flags = flags
    }

    /// Whether what belongs to the trace is recorded.
    @inlinable public var isSampled: Bool { flags.contains(.sampled) }
}

/// The 128 bits that all spans of a trace share.
public struct TraceID: Sendable, Hashable {
    /// The first half as it is written; 0 for traces of 64 bits.
    public var high: UInt64
    /// The second half.
    public var low: UInt64

    /// From its halves.
    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Whether all bits are zero, which no trace has.
    @inlinable public var isZero: Bool { high | low == 0 }
}

/// What is known of a trace beside its identifiers.
public struct TraceFlags: OptionSet, Sendable {
    /// The two lowest bits as `traceparent` has them.
    public let rawValue: UInt8

    /// From bits.
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// It is recorded.
    @inlinable public static var sampled: TraceFlags { TraceFlags(rawValue: 1) }
    /// The last 56 bits of its identifier are random.
    @inlinable public static var random: TraceFlags { TraceFlags(rawValue: 2) }
    /// It is recorded whatever else would limit that: the debug flag of B3.
    @inlinable public static var debug: TraceFlags { TraceFlags(rawValue: 4) }
}
