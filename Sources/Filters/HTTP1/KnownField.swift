internal import FilterAPI

/// Tokens of the fields that say something about framing or the connection; they are the first in the table.
enum KnownField {
    static let host: UInt16 = 1
    static let connection: UInt16 = 2
    static let contentLength: UInt16 = 3
    static let transferEncoding: UInt16 = 4
    static let keepAlive: UInt16 = 5
    static let proxyConnection: UInt16 = 6
    static let te: UInt16 = 7
    static let trailer: UInt16 = 8
    static let upgrade: UInt16 = 9
    static let expect: UInt16 = 10
    static let lastSpecial: UInt16 = 10

    private static let forbiddenTrailers: Set<UInt16> = {
        let names: [HeaderName] = [
            .authorization, .cookie, .setCookie, .contentEncoding, .contentType, .contentRange, .cacheControl,
            .maxForwards, .range, .wwwAuthenticate, .proxyAuthenticate, .proxyAuthorization, .age, .date, .expires,
            .location, .retryAfter, .vary, .ifMatch, .ifNoneMatch, .ifModifiedSince, .ifUnmodifiedSince, .ifRange,
            .xForwardedFor, .xForwardedHost, .xForwardedProto, .xRequestID,
        ]
        return Set(names.map(\.token)).union(1...lastSpecial)
    }()

    /// Whether a field frames, routes or authenticates, and so must not come after the fact (RFC 9110 section 6.5.1).
    static func isForbiddenTrailer(_ token: UInt16) -> Bool { token != 0 && forbiddenTrailers.contains(token) }
}
