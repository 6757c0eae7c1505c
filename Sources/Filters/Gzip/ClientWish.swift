internal import FilterAPI

/// What a request says about the answer to it, kept from its head: filters below may change that.
struct ClientWish {
    /// What follows for `gzip`.
    var verdict = AcceptEncoding.Verdict.noHeader
    private var facts: Facts = []

    private struct Facts: OptionSet {
        let rawValue: UInt8
        static let acceptsGzip = Facts(rawValue: 1)
        static let acceptsDeflate = Facts(rawValue: 2)
        static let isHead = Facts(rawValue: 4)
        static let isRefused = Facts(rawValue: 8)
        static let isHTTP10 = Facts(rawValue: 16)
    }

    init() {}

    init(_ head: borrowing RequestHead) {
        let codings = AcceptEncoding(head.headers)
        verdict = codings.verdict(for: .gzip)
        if codings.isPresent {
            if codings.accepts(.gzip) { facts.insert(.acceptsGzip) }
            if codings.accepts(.deflate) { facts.insert(.acceptsDeflate) }
        }
        if head.method == .head { facts.insert(.isHead) }
        // What follows CONNECT is no body, and who asks for content as it is gets it so (RFC 9111 section 5.2.1.6).
        if head.method == .connect || head.headers.hasToken(.cacheControl, "no-transform") { facts.insert(.isRefused) }
        if head.version == .http10 { facts.insert(.isHTTP10) }
    }

    /// Whether the answer has the head of an answer with a body, and no body.
    var isHead: Bool { facts.contains(.isHead) }

    /// Whether the answer must be left as it is.
    var isRefused: Bool { facts.contains(.isRefused) }

    /// Whether the answer may be compressed.
    ///
    /// Not for HTTP/1.0: a body whose length is not known ends with the connection there, and one that was cut off looks
    /// complete.
    var wantsGzip: Bool { (verdict == .named || verdict == .wildcard) && !facts.contains(.isHTTP10) }

    /// Whether a body in this coding was asked for. Who says nothing has not asked.
    func accepts(_ coding: BodyCoding) -> Bool {
        facts.contains(coding == .gzip ? .acceptsGzip : .acceptsDeflate)
    }
}
