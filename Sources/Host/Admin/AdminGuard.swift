internal import FilterAPI

/// Who may ask the admin interface for what.
///
/// Reading is for whoever can connect: bind it to where only operators can. What a browser could be tricked into is kept
/// out: names that an attacker's server may give to this address (DNS rebinding), and requests that another page makes.
struct AdminGuard: Sendable {
    /// Names by which the interface may be called, beside addresses and `localhost`.
    let hosts: [String]
    /// What changes must show; nil where only a Unix socket allows them.
    let token: String?

    /// On every answer: nothing of it is to be kept, framed, or taken for something else.
    static let fields = named([
        ("cache-control", "no-store, max-age=0"), ("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        (
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; script-src '\(PageScript.hash)'; connect-src 'self'; "
                + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
    ])

    /// Fields of an answer by their names.
    static func named(_ fields: [(name: String, value: String)]) -> [(name: HeaderName, value: String)] {
        fields.compactMap { field in HeaderName(field.name).map { ($0, field.value) } }
    }

    /// Why a request is refused; nil where it is not.
    func refusal(
        of head: borrowing RequestHead, on connection: ConnectionFacts, isChange: Bool
    ) -> AdminAnswer? {
        let isUnix = connection.localAddress.hasPrefix("unix:")
        let host = ASCII.string(head.authority)
        if !isUnix, !accepts(host: host) {
            let name = Self.printable(host)
            return .text(
                "the admin interface is not called `\(name)`; name it under `hosts` if it should be\n", status: 403)
        }
        if let origin = head.headers["origin"], !Self.isSame(origin, host, head.scheme) {
            return .text("pages of other sites may not use the admin interface\n", status: 403)
        }
        if head.headers["sec-fetch-site"] == "cross-site" {
            return .text("pages of other sites may not use the admin interface\n", status: 403)
        }
        guard isChange, !isUnix else { return nil }
        guard let token else {
            return .text(
                "changes need a Unix socket, or a `token` in the config of the admin interface\n", status: 403)
        }
        guard let shown = Self.shownToken(head), Self.isEqual(shown, token) else {
            return .noToken
        }
        return nil
    }

    private func accepts(host: String) -> Bool {
        let name = Self.withoutPort(host).lowercased()
        if name == "localhost" || name.hasSuffix(".localhost") || Self.isAddress(name) { return true }
        return hosts.contains { $0.lowercased() == name }
    }

    private static func withoutPort(_ host: String) -> String {
        if host.hasPrefix("[") { return String(host.dropFirst().prefix { $0 != "]" }) }
        return String(host.prefix { $0 != ":" })
    }

    /// An address cannot be given to somebody else by a name server.
    private static func isAddress(_ name: String) -> Bool {
        if name.contains(":") { return name.utf8.allSatisfy { isHex($0) || $0 == 0x3A || $0 == 0x2E } }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    private static func isSame(_ origin: String, _ host: String, _ scheme: Scheme) -> Bool {
        origin == "http://\(host)" || origin == "https://\(host)"
    }

    private static func shownToken(_ head: borrowing RequestHead) -> String? {
        guard let field = head.headers["authorization"], field.lowercased().hasPrefix("bearer ") else { return nil }
        return String(field.dropFirst(7))
    }

    /// Takes as long whatever differs, up to the length.
    private static func isEqual(_ left: String, _ right: String) -> Bool {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        var difference: UInt8 = left.count == right.count ? 0 : 1
        for index in right.indices { difference |= right[index] ^ (index < left.count ? left[index] : 0) }
        return difference == 0
    }

    private static func printable(_ text: String) -> String {
        String(text.unicodeScalars.map { $0.value > 0x20 && $0.value < 0x7F ? Character($0) : "?" }.prefix(100))
    }
}

extension Headers {
    /// A field by its name; for what is not asked for often.
    fileprivate subscript(name: String) -> String? { HeaderName(name).flatMap { self[$0] } }
}
