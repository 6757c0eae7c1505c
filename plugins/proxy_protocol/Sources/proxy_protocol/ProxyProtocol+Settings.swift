public import FilterAPI

extension ProxyProtocol {
    /// What a chain sets for it: `proxy_protocol: { trusted: [ 10.0.0.0/8 ] }` in a listener's, `proxy_protocol` in a
    /// cluster's.
    public struct Settings: FilterSettings {
        /// In a listener's chain: who may say who the client is, by address or range; `unix` for Unix sockets.
        public var trusted: [String]?
        /// In a listener's chain: whether each connection must begin with a header.
        public var required = true
        /// In a listener's chain: which versions are accepted.
        public var versions = [1, 2]
        /// In a listener's chain: how long the header may take.
        public var timeout = Duration.seconds(5)
        /// In a listener's chain: the most bytes behind the first 16 of a header of version 2.
        public var maxLength = ByteSize.kibibytes(4)
        /// In a cluster's chain: which version is sent; 2 unless set.
        public var version: Int?
        /// In a cluster's chain: whether headers of version 2 have a checksum.
        public var checksum = false

        /// The defaults.
        public init() {}

        /// Checks what belongs to the chain that it stands in.
        public func validate(_ check: inout SettingsCheck) {
            if check.side == .upstream { validateCluster(&check) } else { validateListener(&check) }
        }

        private func validateCluster(_ check: inout SettingsCheck) {
            if trusted != nil {
                check.error("trusted", "belongs to a listener's chain", hint: "here headers are sent, not read")
            }
            if let version, version != 1, version != 2 { check.error("version", "there are the versions 1 and 2") }
            if checksum, version == 1 { check.error("checksum", "version 1 has no checksum") }
        }

        private func validateListener(_ check: inout SettingsCheck) {
            if version != nil {
                check.error("version", "belongs to a cluster's chain", hint: "`versions` says which are accepted here")
            }
            if trusted?.isEmpty ?? true {
                check.error(
                    "trusted", "nobody may send a header, as nobody is trusted",
                    hint: "name the load balancers: `trusted: [ 10.0.0.0/8 ]`; `[ 0.0.0.0/0, \"::/0\" ]` is everybody")
            }
            for (index, text) in (trusted ?? []).enumerated() where text != "unix" && IPRange(text) == nil {
                check.error(
                    "trusted[\(index)]", "`\(text)` is not an IP address or a range of them",
                    hint: "for example `10.0.0.0/8` or `2001:db8::/32`, without bits behind the length")
            }
            if versions.isEmpty || versions.contains(where: { $0 != 1 && $0 != 2 }) {
                check.error("versions", "there are the versions 1 and 2", hint: "for example `versions: [ 2 ]`")
            }
            if timeout <= .zero { check.error("timeout", "must be longer than nothing") }
            if !(216...65_535).contains(maxLength.bytes) {
                check.error("max_length", "must be from 216 bytes, which addresses alone may have, to 65,535")
            }
        }
    }
}
