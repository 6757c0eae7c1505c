internal import FilterAPI

/// Makes the address that a client is sent to.
struct Redirect {
    let status: Status
    private let scheme: Scheme?
    private let host: String?
    private let port: Int?
    private let path: PathChange?
    private let dropsQuery: Bool

    init(_ settings: Router.RedirectSettings, matched: Router.MatchSettings) {
        status = Status(settings.status)
        scheme = settings.scheme.map { $0 == "https" ? .https : .http }
        host = settings.host
        port = settings.port
        if let whole = settings.path {
            path = .whole(whole)
        } else if let prefix = settings.prefix {
            path = .prefix(prefix, count: (matched.prefix ?? matched.path ?? "").utf8.count)
        } else {
            path = nil
        }
        dropsQuery = settings.stripQuery || settings.path?.utf8.contains(UInt8(ascii: "?")) ?? false
    }

    /// Replaces what is in `text` by the address.
    func write(_ head: borrowing RequestHead, into text: inout ByteText) {
        text.removeAll()
        writeOrigin(head, into: &text)
        let start = text.count
        let isPath = head.path.byteCount > 0 && head.path.byte(at: 0) == UInt8(ascii: "/")
        if let path, isPath {
            if !path.apply(to: head.path, into: &text) { text.append(head.path) }
        } else if isPath {
            text.append(head.path)
        } else {
            text.append("/")
        }
        // Without a host in front, `//name` would be read as one.
        if start == 0, text.count > 1, text.bytes.byte(at: 1) == UInt8(ascii: "/") { text.insert("/.", at: 0) }
        if !dropsQuery, isPath { text.append(head.target.extracting(head.pathCount..<head.target.byteCount)) }
    }

    /// `https://name:port`; nothing where neither the request nor the route names a host.
    private func writeOrigin(_ head: borrowing RequestHead, into text: inout ByteText) {
        let authority = head.authority
        guard host != nil || authority.byteCount > 0 else { return }
        let scheme = self.scheme ?? head.scheme
        text.append(scheme.text)
        text.append("://")
        let ownHost = Self.withoutPort(authority)
        if let host { text.append(host) } else { text.append(ownHost) }
        if let port {
            guard port != (scheme == .https ? 443 : 80) else { return }
            text.append(UInt8(ascii: ":"))
            text.append(decimal: port)
        } else if host == nil {
            let port = authority.extracting(ownHost.byteCount..<authority.byteCount)
            // The port of the scheme that is left behind would be wrong for the other one.
            let isDefault = ASCII.equal(port, head.scheme == .https ? ":443" : ":80")
            if !isDefault || scheme == head.scheme { text.append(port) }
        }
    }

    @_lifetime(copy authority)
    private static func withoutPort(_ authority: RawSpan) -> RawSpan {
        var colon = authority.byteCount - 1
        while colon >= 0, authority.byte(at: colon) != UInt8(ascii: ":") {
            if authority.byte(at: colon) == UInt8(ascii: "]") { return authority }
            colon -= 1
        }
        return colon < 0 ? authority : authority.extracting(0..<colon)
    }
}
