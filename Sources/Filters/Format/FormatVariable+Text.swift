internal import FilterAPI

extension FormatVariable {
    /// Appends the value of a variable that is text; nothing where there is none.
    func append(_ subject: borrowing FormatSubject, _ text: inout ByteText) {
        switch self {
        case .accessLogType: text.append(subject.moment.occasion.typeName)
        case .connectionTerminationDetails:
            // Of HTTP: the answer was not finished, for which the connection has to pay.
            let isCut = subject.moment.occasion == .connection || subject.facts.responseEnd == .none
            if isCut { text.append(subject.facts.reason) }
        case .filterChainName: text.append(subject.connection.chainName)
        case .filterTimes: subject.facts.filterTimes?.append(to: &text)
        case .protocol: if subject.isHTTP { text.append(subject.request.version.text) }
        case .reachedLimit: if let limit = subject.facts.limit { text.append(limit.line) }
        case .requestedServerName: if let name = subject.connection.serverName { text.append(name: name) }
        case .responseCodeDetails: text.append(subject.facts.reason)
        case .responseFlags: subject.facts.flags.appendShortNames(to: &text)
        case .responseFlagsLong: subject.facts.flags.appendLongNames(to: &text)
        case .routeName: if let route = subject.facts.route { text.append(route.text) }
        case .streamID: _ = subject.request.headers.withValue(.xRequestID) { text.append($0) }
        case .spanID, .traceID: if let trace = subject.facts.trace { append(trace, &text) }
        case .uniqueID: text.appendRandomUUID()
        case .upstreamCluster, .upstreamClusterRaw: if let name = subject.facts.cluster { text.append(name.text) }
        case .upstreamProtocol: if let version = subject.facts.upstreamProtocol { text.append(version.text) }
        case .upstreamServerName: if let name = subject.facts.upstream?.serverName { text.append(name: name) }
        case .upstreamTransportFailureReason:
            if subject.facts.flags.contains(.upstreamConnectionFailure) { text.append(subject.facts.reason) }
        case .upstreamTLSCipher, .upstreamTLSGroup, .upstreamTLSVersion, .upstreamPeerCertificate,
            .upstreamPeerDNSNames, .upstreamPeerIPAddresses, .upstreamPeerIssuer, .upstreamPeerSubject,
            .upstreamPeerURIs:
            if let tls = subject.facts.upstream?.tls { append(tls, &text) }
        default: if !appendAddress(subject, &text), let tls = subject.connection.tls { append(tls, &text) }
        }
    }
}

extension FormatMoment.Occasion {
    /// As Envoy calls the kinds of lines that Sluice has.
    fileprivate var typeName: StaticString {
        switch self {
        case .field: "NotSet"
        case .stream: "DownstreamEnd"
        case .connection: "TcpConnectionEnd"
        }
    }
}

extension ResponseFlags {
    fileprivate func appendShortNames(to text: inout ByteText) {
        guard rawValue != 0 else { return }
        let start = text.count
        forEachName { short, _ in
            if text.count > start { text.append(",") }
            text.append(short)
        }
    }

    fileprivate func appendLongNames(to text: inout ByteText) {
        guard rawValue != 0 else { return }
        let start = text.count
        forEachName { _, long in
            if text.count > start { text.append(",") }
            text.append(long)
        }
    }
}

extension ByteText {
    /// Adds a random UUID (RFC 9562, version 4).
    mutating func appendRandomUUID() {
        var generator = SystemRandomNumberGenerator()
        let high: UInt64 = generator.next() & ~0xF000 | 0x4000
        let low: UInt64 = generator.next() & ~(3 << 62) | 2 << 62
        for index in 0..<16 {
            if index == 4 || index == 6 || index == 8 || index == 10 { append(UInt8(ascii: "-")) }
            let word = index < 8 ? high : low
            append(hex: UInt8(truncatingIfNeeded: word >> UInt64(56 - index % 8 * 8)))
        }
    }
}
