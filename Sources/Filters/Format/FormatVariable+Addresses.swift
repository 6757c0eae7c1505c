internal import FilterAPI

extension FormatVariable {
    /// Appends the value of a variable about an address; nothing where there is none.
    ///
    /// - Returns: whether the variable is one.
    func appendAddress(_ subject: borrowing FormatSubject, _ text: inout ByteText) -> Bool {
        let connection = subject.connection
        switch self {
        case .downstreamRemoteAddress, .downstreamRemoteAddressWithoutPort, .downstreamRemotePort:
            appendClient(subject.request, connection, &text)
        case .downstreamDirectRemoteAddress: text.append(connection.directRemoteAddress)
        case .downstreamDirectRemoteAddressWithoutPort: text.append(connection.directRemoteIP)
        case .downstreamDirectRemotePort: text.append(portOf: connection.directRemoteAddress)
        case .downstreamLocalAddress: text.append(connection.localAddress)
        case .downstreamLocalAddressWithoutPort: text.append(hostOf: connection.localAddress)
        case .downstreamLocalPort: text.append(portOf: connection.localAddress)
        case .downstreamDirectLocalAddress: text.append(connection.directLocalAddress)
        case .downstreamDirectLocalAddressWithoutPort: text.append(hostOf: connection.directLocalAddress)
        case .downstreamDirectLocalPort: text.append(portOf: connection.directLocalAddress)
        case .upstreamLocalAddress: if let upstream = subject.facts.upstream { text.append(upstream.localAddress) }
        case .upstreamLocalAddressWithoutPort:
            if let upstream = subject.facts.upstream { text.append(hostOf: upstream.localAddress) }
        case .upstreamLocalPort: if let upstream = subject.facts.upstream { text.append(portOf: upstream.localAddress) }
        case .upstreamHostsAttempted, .upstreamHostsAttemptedWithoutPort, .upstreamHostNamesAttempted,
            .upstreamHostNamesAttemptedWithoutPort:
            appendTries(subject, &text)
        default:
            guard isEndpoint else { return false }
            if let endpoint = subject.facts.endpoint { append(endpoint, &text) }
        }
        return true
    }

    private var isEndpoint: Bool {
        switch self {
        case .upstreamHost, .upstreamHostName, .upstreamHostNameWithoutPort, .upstreamRemoteAddress,
            .upstreamRemoteAddressWithoutPort, .upstreamRemotePort:
            true
        default: false
        }
    }

    private func append(_ endpoint: FactName, _ text: inout ByteText) {
        switch self {
        case .upstreamHostName, .upstreamHostNamesAttempted: text.append(endpoint.configured)
        case .upstreamHostNameWithoutPort, .upstreamHostNamesAttemptedWithoutPort:
            text.append(hostOf: endpoint.configured)
        case .upstreamRemoteAddressWithoutPort, .upstreamHostsAttemptedWithoutPort: text.append(hostOf: endpoint.text)
        case .upstreamRemotePort: text.append(portOf: endpoint.text)
        default: text.append(endpoint.text)
        }
    }

    private func appendTries(_ subject: borrowing FormatSubject, _ text: inout ByteText) {
        for endpoint in subject.moment.tried {
            append(endpoint, &text)
            text.append(",")
        }
        if let endpoint = subject.facts.endpoint {
            append(endpoint, &text)
        } else if !subject.moment.tried.isEmpty {
            text.truncate(to: text.count - 1)
        }
    }

    /// Proxies in front say the client's address, and not its port.
    private func appendClient(_ request: borrowing RequestHead, _ connection: ConnectionFacts, _ text: inout ByteText) {
        let isDirect = request.clientAddress.byteCount == 0
        switch self {
        case .downstreamRemotePort: if isDirect { text.append(portOf: connection.remoteAddress) }
        case .downstreamRemoteAddress where isDirect: text.append(connection.remoteAddress)
        default: if isDirect { text.append(connection.remoteIP) } else { text.append(request.clientAddress) }
        }
    }
}

extension ByteText {
    /// Adds what stands behind the last colon; nothing where there is none, and for Unix sockets.
    fileprivate mutating func append(portOf address: String) {
        // SAFETY: the string outlives the span.
        let span = unsafe address.utf8Span.span.bytes
        let colon = Self.portColon(span)
        if colon >= 0 { append(span.extracting(colon + 1..<span.byteCount)) }
    }

    /// Adds the address without the port, and without the brackets around an IPv6 address.
    fileprivate mutating func append(hostOf address: String) {
        // SAFETY: the string outlives the span.
        let span = unsafe address.utf8Span.span.bytes
        let colon = Self.portColon(span)
        let end = colon < 0 ? span.byteCount : colon
        let isBracketed =
            end > 1 && span.byte(at: 0) == UInt8(ascii: "[") && span.byte(at: end - 1) == UInt8(ascii: "]")
        append(isBracketed ? span.extracting(1..<end - 1) : span.extracting(0..<end))
    }

    private static func portColon(_ text: RawSpan) -> Int {
        var index = text.byteCount - 1
        while index >= 0, text.byte(at: index) != UInt8(ascii: ":") { index -= 1 }
        // The path of a Unix socket has no port: `unix:/run/app.sock`.
        let isPort = index >= 0 && index + 1 < text.byteCount && (0x30...0x39).contains(text.byte(at: index + 1))
        return isPort ? index : -1
    }
}
