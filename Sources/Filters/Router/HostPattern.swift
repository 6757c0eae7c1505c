internal import FilterAPI

/// Host names in settings and in requests.
enum HostPattern {
    /// Why a text is not a pattern; nil where it is one.
    static func problem(_ text: String) -> String? {
        if text == "*" { return nil }
        let name = text.hasPrefix("*.") ? String(text.dropFirst(2)) : text
        if name.contains("*") { return "`*` may stand alone or as the first label, as in `*.example.org`" }
        if isHost(name) { return nil }
        if isAuthority(name) { return "the request's port does not matter; leave it out" }
        return "`\(text)` is not a host name"
    }

    /// A name or an address without a port.
    static func isHost(_ text: String) -> Bool {
        guard isAuthority(text) else { return false }
        return text.hasPrefix("[") ? text.hasSuffix("]") : !text.contains(":")
    }

    /// A name or an address with or without a port.
    static func isAuthority(_ text: String) -> Bool {
        // SAFETY: the string outlives the span.
        Authority.isValid(unsafe text.utf8Span.span.bytes)
    }

    /// What is left of an authority without its port and without a dot at its end.
    @_lifetime(copy authority)
    static func host(of authority: RawSpan) -> RawSpan {
        var end = authority.byteCount
        if end > 0, authority.byte(at: 0) == UInt8(ascii: "[") {
            let bracket = authority.firstIndex(of: UInt8(ascii: "]"))
            if bracket >= 0 { end = bracket + 1 }
        } else {
            let colon = authority.firstIndex(of: UInt8(ascii: ":"))
            if colon >= 0 { end = colon }
        }
        if end > 1, authority.byte(at: end - 1) == UInt8(ascii: ".") { end -= 1 }
        return authority.extracting(0..<end)
    }
}
