internal import FilterAPI

/// What a route asks of the client's certificate.
struct CertificateTest {
    private let wantsCertificate: Bool
    private let subject: ValueTest?
    private let uri: ValueTest?
    private let dns: ValueTest?
    private let fingerprint: ValueTest?

    /// From settings that have passed their check.
    init(_ settings: Router.ClientCertificateSettings) throws(Pattern.Problem) {
        wantsCertificate = settings.present ?? true
        subject = try Self.test(settings.subject)
        uri = try Self.test(settings.uri)
        dns = try Self.test(settings.dns?.mappingTexts { $0.lowercased() })
        fingerprint = try Self.test(settings.fingerprint?.mappingTexts(Router.ClientCertificateSettings.digits))
    }

    private static func test(_ settings: Router.ValueSettings?) throws(Pattern.Problem) -> ValueTest? {
        guard let settings else { return nil }
        return try ValueTest(settings)
    }

    /// Whether what a client has shown passes; nil for a client that has shown nothing.
    func passes(_ peer: PeerCertificate?) -> Bool {
        guard let peer else { return !wantsCertificate }
        guard wantsCertificate else { return false }
        return subject?.passes(peer.subject) ?? true
            && fingerprint?.passes(peer.fingerprint) ?? true
            && uri?.passes(anyOf: peer.uris) ?? true
            && dns?.passes(anyOf: peer.dnsNames) ?? true
    }
}
