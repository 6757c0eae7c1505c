public import FilterAPI

extension TLS {
    /// What a chain sets for it. In a listener's chain it ends TLS, in a cluster's it begins it.
    public struct Settings: FilterSettings {
        /// The certificate with its chain, a file in PEM; in a cluster what Sluice shows to the upstream.
        public var certificate: String?
        /// The certificate's private key, a file in PEM.
        public var key: String?
        /// A file with the passphrase of the key.
        public var passphraseFile: String?
        /// A file with an OCSP response (DER) that is stapled to the certificate.
        public var ocspStaple: String?
        /// More certificates, chosen by the name that the client asks for and by what it can verify.
        public var certificates: [CertificateSettings] = []
        /// What becomes of clients that ask for a name that no certificate has.
        public var unknownNames = UnknownNames.serve
        /// Those whose certificates are trusted: a file in PEM, or `system` in a cluster, which is the default there.
        public var ca: String?
        /// Revoked certificates of all authorities of the chain, a file in PEM.
        public var crl: String?
        /// Whether clients have to show a certificate; required where a `ca` is set.
        public var clientCertificates: ClientCertificates?
        /// How many certificates may stand between the peer's and the authority's.
        public var verifyDepth = 4
        /// Names of which the peer's certificate must have one. In a cluster they stand in for the host's name.
        public var acceptedNames = AcceptedNames()
        /// The name that the upstream is asked for, and that its certificate must have; the endpoint's host unless set.
        public var serverName: String?
        /// Trusts whoever answers. For tests only.
        public var insecure = false
        /// The oldest version that is spoken.
        public var minVersion = TLSVersion.tls12
        /// The newest version that is spoken.
        public var maxVersion = TLSVersion.tls13
        /// Cipher suites of TLS 1.2, in OpenSSL's names.
        public var ciphers = TLS.usualCiphers
        /// Cipher suites of TLS 1.3.
        public var cipherSuites = TLS.usualSuites
        /// Groups for the exchange of keys, the preferred first.
        public var groups = TLS.usualGroups
        /// Protocols to agree on (ALPN), the preferred first; what the chain's codec speaks unless set, empty for
        /// any.
        public var alpn: [String]?
        /// Whether sessions are taken up again.
        public var sessionResumption = true
        /// How long a session may be taken up again; also how often a listener's ticket keys change.
        public var sessionLifetime = Duration.seconds(2 * 3600)
        /// Time for the handshake.
        public var handshakeTimeout = Duration.seconds(10)
        /// How long before a certificate expires a warning is given.
        public var expiryWarning = Duration.seconds(14 * 86_400)
        /// A file that the secrets of each connection are written to, for debugging only.
        public var keyLog: String?

        /// The defaults.
        public init() {}

        /// Checks what can be known without the files.
        public func validate(_ check: inout SettingsCheck) {
            if handshakeTimeout <= .zero { check.error("handshake_timeout", "must be more than 0") }
            if sessionLifetime < .seconds(60) || sessionLifetime > .seconds(7 * 86_400) {
                check.error("session_lifetime", "must be between 1m and 168h")
            }
            if verifyDepth < 0 || verifyDepth > 100 { check.error("verify_depth", "must be between 0 and 100") }
            if maxVersion < minVersion { check.error("max_version", "is older than `min_version`") }
            if certificate == nil, key != nil { check.error("key", "there is no `certificate` for this key") }
            if certificate != nil, key == nil { check.error("certificate", "there is no `key` for this certificate") }
            for (index, one) in (alpn ?? []).enumerated() where one.isEmpty || one.utf8.count > 255 {
                check.error("alpn[\(index)]", "must have 1 to 255 bytes")
            }
            acceptedNames.validate(in: "accepted_names", &check)
            switch check.side {
            case .client: validateListener(&check)
            case .upstream: validateCluster(&check)
            case nil: break
            }
        }

        private func validateListener(_ check: inout SettingsCheck) {
            if certificate == nil, certificates.isEmpty {
                check.error(
                    "", "TLS in a listener needs a certificate",
                    hint: "for example `tls: { certificate: server.crt, key: server.key }`")
            }
            if ca == "system" { check.error("ca", "clients' certificates need an authority of their own, as a file") }
            if let clientCertificates, clientCertificates != .off, ca == nil {
                check.error("client_certificates", "needs a `ca` to check them with")
            }
            if ca == nil, crl != nil { check.error("crl", "there is no `ca`, so nobody's certificate is checked") }
            if serverName != nil { check.error("server_name", "is for clusters: it names whom to ask for") }
            if insecure { check.error("insecure", "is for clusters", hint: "leave `ca` out to ask no certificate") }
        }

        private func validateCluster(_ check: inout SettingsCheck) {
            if !certificates.isEmpty {
                check.error("certificates", "is for listeners: a cluster shows one certificate")
            }
            if clientCertificates != nil { check.error("client_certificates", "is for listeners") }
            if ocspStaple != nil { check.error("ocsp_staple", "is for listeners") }
            if unknownNames != .serve { check.error("unknown_names", "is for listeners") }
            guard insecure else { return }
            if ca != nil { check.error("insecure", "excludes `ca`: nothing is checked") }
            if crl != nil { check.error("insecure", "excludes `crl`: nothing is checked") }
            if !acceptedNames.isEmpty { check.error("insecure", "excludes `accepted_names`: nothing is checked") }
            check.warning("insecure", "whoever answers is trusted with everything that is sent")
        }

        /// All pairs, the one at the top first.
        var pairs: [CertificateSettings] {
            guard let certificate, let key else { return certificates }
            var first = CertificateSettings()
            first.certificate = certificate
            first.key = key
            first.passphraseFile = passphraseFile
            first.ocspStaple = ocspStaple
            return [first] + certificates
        }

        /// Whether clients have to show a certificate.
        var asksClients: ClientCertificates { clientCertificates ?? (ca == nil ? .off : .required) }
    }

    /// TLS 1.2 with forward secrecy and authenticated encryption only, as in Mozilla's intermediate profile.
    static let usualCiphers =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
        + "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
    static let usualSuites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
    static let usualGroups = "X25519:prime256v1:secp384r1"

    /// One certificate of a listener.
    public struct CertificateSettings: SettingsStruct, Hashable {
        /// The certificate with its chain, a file in PEM.
        public var certificate = ""
        /// Its private key, a file in PEM.
        public var key = ""
        /// A file with the passphrase of the key.
        public var passphraseFile: String?
        /// A file with an OCSP response (DER).
        public var ocspStaple: String?

        /// Nothing.
        public init() {}

        /// Checks that both files are named.
        public func validate(_ check: inout SettingsCheck) {
            if certificate.isEmpty { check.error("certificate", "there is no certificate") }
            if key.isEmpty { check.error("key", "there is no key") }
        }
    }

    /// What becomes of clients that ask for a name that no certificate has.
    public enum UnknownNames: String, Codable, Sendable, CaseIterable {
        /// They get the first certificate, as those do that ask for no name.
        case serve
        /// They get an alert, as those do that ask for no name.
        case refuse
    }

    /// Whether clients show certificates.
    public enum ClientCertificates: String, Codable, Sendable, CaseIterable {
        /// They are not asked.
        case off
        /// They may; what they show must be good.
        case optional
        /// They must.
        case required
    }
}
