internal import FilterAPI

extension FormatVariable {
    /// Appends the value of a variable about the client's TLS; nothing for others, and where there is none.
    func append(_ tls: TLSFacts, _ text: inout ByteText) {
        switch self {
        case .downstreamALPN: if let name = tls.applicationProtocol { text.append(name: name) }
        case .downstreamTLSCipher: text.append(name: tls.cipher)
        case .downstreamTLSResumed: text.append(tls.isResumed ? "true" : "false")
        case .downstreamTLSVersion: text.append(tls.version.name)
        default: if let peer = tls.peer { append(peer, &text) }
        }
    }

    private func append(_ peer: PeerCertificate, _ text: inout ByteText) {
        switch self {
        case .downstreamPeerCertificate: text.append(percentEncoded: peer.pem)
        case .downstreamPeerDNSNames: appendNames(peer.dnsNames, &text)
        case .downstreamPeerEmailAddresses: appendNames(peer.emailAddresses, &text)
        case .downstreamPeerFingerprint: text.append(name: peer.fingerprint)
        case .downstreamPeerIPAddresses: appendNames(peer.ipAddresses, &text)
        case .downstreamPeerIssuer: text.append(distinguishedName: peer.issuer)
        case .downstreamPeerSerial: text.append(name: peer.serialNumber)
        case .downstreamPeerSubject: text.append(distinguishedName: peer.subject)
        case .downstreamPeerURIs: appendNames(peer.uris, &text)
        default: break
        }
    }

    private func appendNames(_ names: [String], _ text: inout ByteText) {
        let start = text.count
        for name in names {
            if text.count > start { text.append(",") }
            text.append(name: name, isElement: true)
        }
    }
}
