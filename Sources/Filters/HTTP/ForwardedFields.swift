internal import FilterAPI

/// What a proxy tells the next one about the client (`x-forwarded-*`), and what it takes out because only a trusted
/// proxy may say it.
struct ForwardedFields {
    let policy: HTTP1ServerCodec.ForwardedPolicy
    let trustedHops: Int
    let wantsRequestID: Bool
    private var ids = RequestIDs()

    init(policy: HTTP1ServerCodec.ForwardedPolicy, trustedHops: Int, wantsRequestID: Bool) {
        self.policy = policy
        self.trustedHops = trustedHops
        self.wantsRequestID = wantsRequestID
    }

    /// Changes a request's fields.
    mutating func apply(to head: inout RequestHead, from connection: ConnectionFacts) {
        let isTrusted = trustedHops > 0
        if isTrusted {
            head.clientRange = ClientAddress.find(head.headers, hops: trustedHops)
        } else {
            dropInternal(&head.headers)
        }
        switch policy {
        case .keep: break
        case .off:
            head.headers.remove(.xForwardedFor)
            head.headers.remove(.xForwardedProto)
            head.headers.remove(.xForwardedHost)
        case .append: forward(&head, connection, isTrusted)
        }
        if wantsRequestID, !isTrusted || !head.headers.contains(.xRequestID) { ids.add(to: &head.headers) }
    }

    private func forward(_ head: inout RequestHead, _ connection: ConnectionFacts, _ isTrusted: Bool) {
        let address = connection.remoteIP
        if !address.isEmpty { unsafe head.headers.appendToList(.xForwardedFor, address.utf8Span.span.bytes) }
        if !isTrusted || !head.headers.contains(.xForwardedProto) {
            let proto: StaticString = connection.isTLS ? "https" : "http"
            setField(&head.headers, .xForwardedProto, proto)
        } else {
            head.scheme = head.headers.equals(.xForwardedProto, "https") ? .https : .http
        }
        if !isTrusted || !head.headers.contains(.xForwardedHost) { copyHost(&head) }
    }

    private func setField(_ headers: inout Headers, _ name: HeaderName, _ text: StaticString) {
        let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(text.utf8Start), byteCount: text.utf8CodeUnitCount)
        headers.set(name, span)
    }

    private func copyHost(_ head: inout RequestHead) {
        let entry = head.authorityRange
        guard entry.count > 0 else { return }
        head.headers.setText(.xForwardedHost, entry)
    }

    /// Fields by which proxies talk among themselves: from anyone else they are lies (CVE-2023-27487 and others).
    private func dropInternal(_ headers: inout Headers) {
        var index = 0
        while index < headers.count {
            let token = unsafe headers.entries[index].token
            let isInternal = token == 0 ? Self.isInternal(headers.name(at: index)) : Self.isInternal(token)
            if isInternal { headers.remove(at: index) } else { index += 1 }
        }
    }

    private static let firstInternal = HeaderName.xEnvoyAttemptCount.token
    private static let lastInternal = HeaderName.xEnvoyUpstreamRqPerTryTimeoutMs.token

    @inline(__always)
    private static func isInternal(_ token: UInt16) -> Bool {
        token >= firstInternal && token <= lastInternal
    }

    @inline(__always)
    private static func isInternal(_ name: RawSpan) -> Bool {
        guard name.byteCount > 8, unsafe name.unsafeLoad(as: UInt8.self) | 0x20 == UInt8(ascii: "x") else {
            return false
        }
        return ASCII.equalIgnoringCase(name.extracting(first: 8), "x-envoy-")
            || name.byteCount > 9 && ASCII.equalIgnoringCase(name.extracting(first: 9), "x-sluice-")
    }
}
