internal import FilterAPI

/// What a series is found by without making text: as labels are told apart, or finer.
struct SeriesKey: Equatable {
    /// Of the route's name, whose object the cache keeps alive.
    private let route: ObjectIdentifier?
    /// Of the reason, which is a literal.
    private let reason: UInt
    private let method: Method
    private let status: UInt16
    private let scheme: Scheme
    private let version: HTTPVersion

    init(_ stream: borrowing Stream) {
        route = stream.facts.routeIdentity
        let reason = stream.facts.reason
        self.reason = reason.utf8CodeUnitCount > 0 ? unsafe UInt(bitPattern: reason.utf8Start) : 0
        status = UInt16(clamping: stream.facts.status)
        var (method, scheme, version) = (Method.get, Scheme.http, HTTPVersion.http11)
        stream.withRequest {
            method = $0.method
            scheme = $0.scheme
            version = $0.version
        }
        self.method = method
        self.scheme = scheme
        self.version = version
    }

    /// Where to look first.
    var hash: Int {
        var hash = route.map { UInt(bitPattern: $0) >> 4 } ?? 0
        hash ^= reason &* 31
        hash = hash &* 31 &+ UInt(status)
        return Int(truncatingIfNeeded: hash &* 0x9E37_79B9_7F4A_7C15 >> 40)
    }
}
