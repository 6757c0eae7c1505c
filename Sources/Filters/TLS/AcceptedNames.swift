public import FilterAPI

extension TLS {
    /// Names of which a peer's certificate must have one, by the kind of alternative name.
    ///
    /// A `*` as the first label of a DNS name stands for exactly one label; one at the end of a URI for anything that
    /// follows. Nothing else is a pattern.
    public struct AcceptedNames: SettingsStruct, Hashable {
        /// Names of hosts: `api.example.com`, `*.example.com`.
        public var dns: [String] = []
        /// URIs: `spiffe://example.org/web`, `spiffe://example.org/ns/*`.
        public var uri: [String] = []
        /// Addresses: `192.0.2.1`.
        public var ip: [String] = []
        /// Mail addresses.
        public var email: [String] = []

        /// None: all are accepted.
        public init() {}

        /// Whether all are accepted.
        var isEmpty: Bool { dns.isEmpty && uri.isEmpty && ip.isEmpty && email.isEmpty }

        func validate(in key: String, _ check: inout SettingsCheck) {
            for (index, name) in dns.enumerated() {
                let rest = name.hasPrefix("*.") ? name.dropFirst(2) : name[...]
                if rest.isEmpty || rest.utf8.contains(0x2A) || (rest.count != name.count && !rest.utf8.contains(0x2E)) {
                    check.error(
                        "\(key).dns[\(index)]",
                        "`*` may only stand for the first label of a name such as `*.example.com`")
                }
            }
            for (index, text) in uri.enumerated() {
                let rest = text.hasSuffix("/*") ? text.dropLast() : text[...]
                if rest.utf8.contains(0x2A) {
                    check.error("\(key).uri[\(index)]", "`*` may only stand behind the last `/`")
                }
            }
        }

        /// Whether one of a certificate's names is accepted.
        func accepts(_ certificate: PeerCertificate) -> Bool {
            isEmpty
                || certificate.dnsNames.contains { own in dns.contains { Self.matches(own, $0) } }
                || certificate.uris.contains { own in uri.contains { Self.matchesURI(own, $0) } }
                || certificate.ipAddresses.contains { ip.contains($0) }
                || certificate.emailAddresses.contains { email.contains($0) }
        }

        private static func matches(_ own: String, _ pattern: String) -> Bool {
            let own = own.lowercased()
            let pattern = pattern.lowercased()
            if own == pattern { return true }
            // A certificate's own wildcard is no name that its holder has shown to be.
            guard pattern.hasPrefix("*."), !own.hasPrefix("*"), let dot = own.firstIndex(of: ".") else { return false }
            return dot != own.startIndex && own[dot...] == pattern.dropFirst()
        }

        private static func matchesURI(_ own: String, _ pattern: String) -> Bool {
            pattern.hasSuffix("/*") ? own.hasPrefix(pattern.dropLast()) && own.count >= pattern.count : own == pattern
        }
    }
}
