/// What is known of a stream, for logs, statistics and decisions. All of it may be read by any filter.
public struct StreamFacts {
    /// When the first byte of the request was read.
    public var start = Instant.none
    /// When the request's head was complete.
    public var requestHeadAt = Instant.none
    /// When the request's last byte was read.
    public var requestEnd = Instant.none
    /// When a connection to the upstream was ready for the last try.
    public var upstreamReady = Instant.none
    /// When the request's last byte was given to the upstream.
    public var upstreamRequestEnd = Instant.none
    /// When the first byte of the upstream's answer was read.
    public var upstreamFirstByte = Instant.none
    /// When the upstream's last byte was read.
    public var upstreamEnd = Instant.none
    /// When the response's head was given to the client.
    public var responseStart = Instant.none
    /// When the response's last byte was given to the client.
    public var responseEnd = Instant.none

    /// Bytes of the request's body, as read from the client.
    public var requestBodyBytes = 0
    /// Bytes of the response's body, as given to the client.
    public var responseBodyBytes = 0
    /// Bytes of the request's head, as read.
    public var requestHeadBytes = 0
    /// Bytes of the response's head, as given to the client.
    public var responseHeadBytes = 0
    /// Bytes of the response's trailers, as given to the client.
    public var responseTrailerBytes = 0
    /// Bytes of the request's head, as given to the upstream for the last try.
    public var upstreamRequestHeadBytes = 0
    /// Bytes of the response's head, as read from the upstream.
    public var upstreamResponseHeadBytes = 0

    /// The status given to the client; 0 where none was.
    public var status = 0
    /// Why it did not simply succeed.
    public var flags: ResponseFlags = []
    /// The cause, in the words of ``Fault/reason``; empty where there is none.
    public var reason: StaticString = ""
    /// The limit that the request ran into; nil where it ran into none.
    public var limit: ReachedLimit?
    /// How often the request was sent to an upstream.
    public var attempts = 0
    /// Whether Sluice itself made the response.
    public var isLocalReply = false
    /// The version of HTTP that the upstream spoke; nil where none answered.
    public var upstreamProtocol: HTTPVersion?

    /// The matched route's name; nil where it has none.
    public var route: FactName?
    /// The cluster that was attached last.
    public var cluster: FactName?
    /// The endpoint that was tried last, as in the config or as resolved.
    public var endpoint: FactName?
    /// The trace that the request belongs to; nil where no filter has seen to one.
    public var trace: TraceContext?
    /// What is known of the connection that the last try was sent over; nil where none was.
    public package(set) var upstream: ConnectionFacts?
    /// How long each filter has had the request in hand; nil where the listener does not measure it.
    public package(set) var filterTimes: FilterTimes?

    /// Nothing known yet.
    public init() {}

    // Tell names apart by their objects, without a reference to count: for filters that keep something by cluster, and look
    // it up for each request. Good as long as somebody holds the name.

    /// Of ``cluster``.
    @inlinable public var clusterIdentity: ObjectIdentifier? { Self.identity(cluster) }
    /// Of ``route``.
    @inlinable public var routeIdentity: ObjectIdentifier? { Self.identity(route) }
    /// Of ``endpoint``.
    @inlinable public var endpointIdentity: ObjectIdentifier? { Self.identity(endpoint) }

    /// Of any name.
    @inlinable
    public static func identity(_ name: FactName?) -> ObjectIdentifier? {
        guard let name else { return nil }
        return ObjectIdentifier(name)
    }
}

/// A name that many streams share.
public final class FactName: Sendable {
    /// The name.
    public let text: String
    /// For an endpoint the name that the config has for it, with the port: `app.internal:8080`; else the text.
    public let configured: String

    /// A name, made once per route, cluster or endpoint.
    public init(_ text: String) {
        self.text = text
        configured = text
    }

    /// The name of an endpoint.
    package init(_ text: String, configured: String) {
        self.text = text
        self.configured = configured
    }
}

/// A point in time on the clock that only goes forward, in nanoseconds.
public struct Instant: Sendable, Comparable {
    /// Nanoseconds since some point in the past; 0 for ``none``.
    public var nanoseconds: UInt64

    /// From nanoseconds.
    @inlinable
    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// Has not happened.
    @inlinable public static var none: Instant { Instant(nanoseconds: 0) }

    /// Earlier than.
    @inlinable
    public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// So much later.
    package func after(_ time: Duration) -> Instant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(time.wholeNanoseconds)
        return Instant(nanoseconds: overflow ? .max : sum)
    }

    /// Time from `earlier` to this; zero where either has not happened or the order is the other way.
    public func since(_ earlier: Instant) -> Duration {
        guard earlier.nanoseconds > 0, nanoseconds > earlier.nanoseconds else { return .zero }
        return .nanoseconds(Int64(clamping: nanoseconds - earlier.nanoseconds))
    }
}

extension Duration {
    /// Whole nanoseconds, at most 2^63; negative durations are 0.
    public var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow, product < UInt64(Int64.max) else { return UInt64(Int64.max) }
        return product + UInt64(max(0, attoseconds)) / 1_000_000_000
    }
}
