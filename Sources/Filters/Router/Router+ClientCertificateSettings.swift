public import FilterAPI

extension Router {
    /// Tests of the certificate that the client has shown: all of them must succeed.
    ///
    /// A test of a kind of names succeeds where one of the certificate's names does; inverted, where none does. Without a
    /// certificate there is nothing that could be tested, so that only `present: false` succeeds.
    public struct ClientCertificateSettings: SettingsStruct {
        /// Whether there is one.
        public var present: Bool?
        /// The subject's distinguished name (RFC 2253).
        public var subject: ValueSettings?
        /// Alternative names of the kind URI.
        public var uri: ValueSettings?
        /// Alternative names of the kind DNS; letters' case does not matter.
        public var dns: ValueSettings?
        /// The SHA-256 of the certificate in hexadecimal digits; letters' case and colons do not matter.
        public var fingerprint: ValueSettings?

        /// No test.
        public init() {}

        /// Whether there is one: `client_certificate: true`.
        public init?(shorthand: String) {
            guard shorthand == "true" || shorthand == "false" else { return nil }
            present = shorthand == "true"
        }

        /// Checks that there is a test, and that all can succeed together.
        public func validate(_ check: inout SettingsCheck) {
            let tests = [
                subject.map { _ in "subject" }, uri.map { _ in "uri" }, dns.map { _ in "dns" },
                fingerprint.map { _ in "fingerprint" },
            ].compactMap { $0 }
            if present == nil, tests.isEmpty {
                check.error("", "there is no test", hint: "`true`, or one of `subject`, `uri`, `dns`, `fingerprint`")
            }
            if present == false, let test = tests.first {
                check.error(test, "without a certificate there is no `\(test)` to test")
            }
            if let exact = fingerprint?.exact {
                let digits = Self.digits(exact)
                if digits.utf8.count != 64 || !digits.allSatisfy(\.isHexDigit) {
                    check.error("fingerprint", "`\(exact)` is not a SHA-256 in hexadecimal digits")
                }
            }
        }

        /// A fingerprint as it is compared.
        static func digits(_ text: String) -> String { text.lowercased().filter { $0 != ":" } }
    }
}
