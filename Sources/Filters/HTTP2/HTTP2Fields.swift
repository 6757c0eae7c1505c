internal import FilterAPI

/// Which fields go over HTTP/2: all but those of the connection, which has no use for them (RFC 9113 section 8.2.2).
enum HTTP2Fields {
    /// Fields that are said in another way, or by the codec itself.
    struct Without: OptionSet {
        let rawValue: UInt8
        static let host = Without(rawValue: 1)
        static let contentLength = Without(rawValue: 2)
        static let server = Without(rawValue: 4)
        static let handshake = Without(rawValue: 8)
    }

    /// What of a head's fields has been seen on the way.
    struct Seen: OptionSet {
        let rawValue: UInt8
        static let contentLength = Seen(rawValue: 1)
        static let date = Seen(rawValue: 2)
    }

    private static let date = HeaderName.date.token
    private static let server = HeaderName.server.token
    private static let key = HeaderName.secWebsocketKey.token
    private static let answer = HeaderName.secWebsocketAccept.token

    /// Adds a head's fields in their order.
    @discardableResult
    static func add(_ headers: borrowing Headers, to scratch: HTTP2Scratch, without: Without) -> Seen {
        var seen: Seen = []
        for index in 0..<headers.count {
            let entry = unsafe headers.entries[index]
            let token = entry.token
            if token == 0 {
                // None of those below.
            } else if token <= KnownField.lastSpecial {
                if HopByHop.isCodecs(token) { continue }
                if token == KnownField.host, without.contains(.host) { continue }
                if token == KnownField.contentLength {
                    // Nothing says two lengths (RFC 9110 section 8.6).
                    if without.contains(.contentLength) || !seen.insert(.contentLength).inserted { continue }
                }
            } else if token == date {
                seen.insert(.date)
            } else if token == server, without.contains(.server) {
                continue
            } else if token == key || token == answer, without.contains(.handshake) {
                continue
            }
            scratch.add(entry, of: headers)
        }
        return seen
    }

    /// Adds trailers, without what cannot come after the fact.
    static func addTrailers(_ headers: borrowing Headers, to scratch: HTTP2Scratch) {
        for index in 0..<headers.count {
            let entry = unsafe headers.entries[index]
            if !KnownField.isForbiddenTrailer(entry.token) { scratch.add(entry, of: headers) }
        }
    }
}
