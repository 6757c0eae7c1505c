internal import FilterAPI

/// What a proxy tells the next one about the client's certificate (`x-forwarded-client-cert`), in Envoy's form:
/// `By=…;Hash=…;Subject="…";URI=…`, for each proxy on the way one such element, parted by commas.
struct ForwardedClientCert {
    let mode: HTTP1ServerCodec.ClientCertMode
    let details: Set<HTTP1ServerCodec.ClientCertDetail>

    init(_ settings: HTTP1ServerCodec.ClientCertSettings) {
        mode = settings.mode
        details = Set(settings.details)
    }

    /// Changes a request's fields.
    ///
    /// - Parameter element: what is said of the connection's client; made when it is first needed.
    func apply(to headers: inout Headers, from connection: ConnectionFacts, element: inout String?) {
        if mode == .alwaysForwardOnly { return }
        guard mode != .sanitize, let tls = connection.tls, let peer = tls.peer else {
            headers.remove(.xForwardedClientCert)
            return
        }
        if mode == .forwardOnly { return }
        let text = element ?? Self.element(peer, by: tls.localURI, details)
        element = text
        // SAFETY (both): the string outlives the span.
        if mode == .appendForward, Self.areClosed(headers) {
            unsafe headers.appendToList(.xForwardedClientCert, text.utf8Span.span.bytes)
        } else {
            unsafe headers.set(.xForwardedClientCert, text.utf8Span.span.bytes)
        }
    }

    // MARK: What the client said

    /// Whether what is appended to the fields is outside of quotes for every reader, whatever it makes of backslashes.
    ///
    /// Else a client could have its own words taken for ours.
    private static func areClosed(_ headers: borrowing Headers) -> Bool {
        var index = headers.index(of: .xForwardedClientCert)
        while index >= 0 {
            if !isClosed(headers.value(at: index)) { return false }
            index = headers.index(of: .xForwardedClientCert, from: index + 1)
        }
        return true
    }

    private static func isClosed(_ text: RawSpan) -> Bool {
        var isQuoted = false
        var backslashes = 0
        for index in 0..<text.byteCount {
            let byte = text.byte(at: index)
            if byte == UInt8(ascii: "\"") {
                // One backslash makes it a part of quoted text. Two, or one outside, do so for some readers only.
                if backslashes > 1 || backslashes == 1 && !isQuoted { return false }
                if backslashes == 0 { isQuoted.toggle() }
            }
            backslashes = byte == UInt8(ascii: "\\") ? backslashes + 1 : 0
        }
        return !isQuoted && backslashes == 0
    }

    // MARK: What is said of it

    private static func element(
        _ peer: PeerCertificate, by localURI: String?, _ details: Set<HTTP1ServerCodec.ClientCertDetail>
    ) -> String {
        var text = ByteText(capacity: 512)
        if let localURI {
            append("By=", localURI, to: &text)
            text.append(";")
        }
        text.append("Hash=")
        text.append(name: peer.fingerprint)
        if details.contains(.subject) {
            text.append(";Subject=\"")
            text.append(distinguishedName: peer.subject)
            text.append("\"")
        }
        if details.contains(.uri) {
            if peer.uris.isEmpty { text.append(";URI=") }
            for uri in peer.uris { append(";URI=", uri, to: &text) }
        }
        if details.contains(.dns) { for name in peer.dnsNames { append(";DNS=", name, to: &text) } }
        if details.contains(.cert) { append(";Cert=\"", pem: peer.pem, to: &text) }
        if details.contains(.chain) { append(";Chain=\"", pem: peer.chainPEM, to: &text) }
        return ASCII.string(text.bytes)
    }

    /// A value has quotes where it would otherwise be taken for more than one.
    private static func append(_ key: StaticString, _ name: String, to text: inout ByteText) {
        let needsQuotes = name.utf8.contains {
            $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: "=")
        }
        text.append(key)
        if needsQuotes { text.append("\"") }
        text.append(name: name)
        if needsQuotes { text.append("\"") }
    }

    private static func append(_ key: StaticString, pem: String, to text: inout ByteText) {
        text.append(key)
        text.append(percentEncoded: pem)
        text.append("\"")
    }
}
