internal import FilterAPI

/// Makes a number of a request, by which a cluster picks an endpoint.
///
/// The same request gives the same number in every process, so that several proxies agree.
struct HashRule {
    private let header: HeaderName?
    private let cookie: String?
    private let usesSource: Bool

    /// - Returns: nil where there is nothing to hash.
    init?(_ settings: Router.HashSettings) {
        header = settings.header.flatMap { HeaderName($0) }
        cookie = settings.cookie
        usesSource = settings.source
        if header == nil, cookie == nil, !usesSource { return nil }
    }

    /// The number; nil where the request has nothing of what is hashed.
    func hash(_ head: borrowing RequestHead, _ connection: ConnectionFacts) -> UInt64? {
        if let header, let hash = head.headers.withValue(header, { Self.hash($0) }) { return hash }
        if let cookie, let hash = hashCookie(cookie, head.headers) { return hash }
        guard usesSource else { return nil }
        if head.clientAddress.byteCount > 0 { return Self.hash(head.clientAddress) }
        guard !connection.remoteIP.isEmpty else { return nil }
        // SAFETY: the string outlives the span.
        return Self.hash(unsafe connection.remoteIP.utf8Span.span.bytes)
    }

    private func hashCookie(_ name: String, _ headers: borrowing Headers) -> UInt64? {
        var index = headers.index(of: .cookie)
        while index >= 0 {
            if let hash = Self.hashCookie(name, headers.value(at: index)) { return hash }
            index = headers.index(of: .cookie, from: index + 1)
        }
        return nil
    }

    /// `a=1; b=2` (RFC 6265 section 4.2.1)
    private static func hashCookie(_ name: String, _ cookies: RawSpan) -> UInt64? {
        // SAFETY: the string outlives the span.
        let name = unsafe name.utf8Span.span.bytes
        var start = 0
        while start < cookies.byteCount {
            var end = cookies.firstIndex(of: UInt8(ascii: ";"), from: start)
            if end < 0 { end = cookies.byteCount }
            let pair = ASCII.trimmed(cookies.extracting(start..<end))
            let equals = pair.firstIndex(of: UInt8(ascii: "="))
            if equals >= 0, ASCII.equal(pair.extracting(0..<equals), name) {
                return hash(pair.extracting(equals + 1..<pair.byteCount))
            }
            start = end + 1
        }
        return nil
    }

    /// FNV-1a, with its bits mixed at the end, since rings look at the high ones.
    static func hash(_ text: RawSpan) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in 0..<text.byteCount { hash = (hash ^ UInt64(text.byte(at: index))) &* 0x0000_0100_0000_01B3 }
        hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        hash = (hash ^ (hash >> 33)) &* 0xC4CE_B9FE_1A85_EC53
        return hash ^ (hash >> 33)
    }
}
