public import FilterAPI

extension HTTP1ServerCodec {
    /// What happens to `x-forwarded-client-cert`.
    public struct ClientCertSettings: SettingsStruct {
        /// Whether it is taken out, kept or set.
        public var mode = ClientCertMode.sanitize
        /// What is said of a certificate beside its fingerprint, where the mode says something.
        public var details: [ClientCertDetail] = []

        /// The field is taken out.
        public init() {}

        /// A mode: `forwarded_client_cert: sanitize_set`.
        public init?(shorthand: String) {
            guard let mode = ClientCertMode(rawValue: shorthand) else { return nil }
            self.mode = mode
        }

        /// Checks that details have a place to stand in.
        public func validate(_ check: inout SettingsCheck) {
            if !details.isEmpty, mode != .appendForward, mode != .sanitizeSet {
                check.error(
                    "details", "nothing is said of certificates with `mode: \(mode.rawValue)`",
                    hint: "`append_forward` and `sanitize_set` say something")
            }
        }
    }

    /// What happens to `x-forwarded-client-cert`, by the names that Envoy's users know.
    public enum ClientCertMode: String, Codable, Sendable, CaseIterable {
        /// It is taken out.
        case sanitize
        /// It stays where the client has shown a certificate, and is taken out elsewhere.
        case forwardOnly = "forward_only"
        /// Where the client has shown a certificate, it is appended to what the client said; elsewhere the field is
        /// taken out.
        case appendForward = "append_forward"
        /// Where the client has shown a certificate, it takes the place of what the client said; elsewhere the field is
        /// taken out.
        case sanitizeSet = "sanitize_set"
        /// It stays, whoever sent it.
        case alwaysForwardOnly = "always_forward_only"
    }

    /// What may be said of a certificate.
    public enum ClientCertDetail: String, Codable, Sendable, CaseIterable {
        /// The subject.
        case subject
        /// All alternative names of the kind URI.
        case uri
        /// All alternative names of the kind DNS.
        case dns
        /// The certificate.
        case cert
        /// The certificate and those that the client sent with it.
        case chain
    }
}
