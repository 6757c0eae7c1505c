internal import FilterAPI

extension FormatVariable {
    /// Appends the value of a variable about a peer's TLS; nothing for others, and where there is none.
    func append(_ tls: TLSFacts, _ text: inout ByteText) {
        switch self {
        case .downstreamALPN: if let name = tls.applicationProtocol { text.append(name: name) }
        case .downstreamTLSCipher, .upstreamTLSCipher: text.append(name: tls.cipher)
        case .downstreamTLSGroup, .upstreamTLSGroup: text.append(name: tls.group)
        case .downstreamLocalURI: if let uri = tls.localURI { text.append(name: uri) }
        case .downstreamTLSResumed: text.append(tls.isResumed ? "true" : "false")
        case .downstreamTLSVersion, .upstreamTLSVersion: text.append(tls.version.name)
        default: if let peer = tls.peer { append(peer, &text) }
        }
    }

    private func append(_ peer: PeerCertificate, _ text: inout ByteText) {
        switch self {
        case .downstreamPeerCertificate, .upstreamPeerCertificate: text.append(percentEncoded: peer.pem)
        case .downstreamPeerDNSNames, .upstreamPeerDNSNames: appendNames(peer.dnsNames, &text)
        case .downstreamPeerEmailAddresses: appendNames(peer.emailAddresses, &text)
        case .downstreamPeerFingerprint: text.append(name: peer.fingerprint)
        case .downstreamPeerIPAddresses, .upstreamPeerIPAddresses: appendNames(peer.ipAddresses, &text)
        case .downstreamPeerIssuer, .upstreamPeerIssuer: text.append(distinguishedName: peer.issuer)
        case .downstreamPeerSerial: text.append(name: peer.serialNumber)
        case .downstreamPeerSubject, .upstreamPeerSubject: text.append(distinguishedName: peer.subject)
        case .downstreamPeerURIs, .upstreamPeerURIs: appendNames(peer.uris, &text)
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
