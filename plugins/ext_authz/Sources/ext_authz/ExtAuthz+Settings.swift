public import FilterAPI

extension ExtAuthz {
    /// What a chain sets for it: `ext_authz: { cluster: auth }`.
    public struct Settings: FilterSettings {
        /// The cluster of the authorization service.
        public var cluster: String?
        /// What stands in front of the request's path where the service is asked.
        public var pathPrefix = ""
        /// How long the service's whole answer may take.
        public var timeout = Duration.milliseconds(200)
        /// Whether requests go on where the service gives no answer.
        public var failureModeAllow = false
        /// The status of the answer where the service gives none, and requests do not go on.
        public var statusOnError = 403
        /// Fields of the request that the service is shown; method, path and authority it is shown always.
        public var allowedHeaders = ["authorization"]
        /// Fields of the service's answer that go on with the request. What the client sends under these names does not.
        public var allowedUpstreamHeaders: [String] = []
        /// Fields of the service's answer that the client gets where the answer is no.
        public var allowedClientHeaders = ["content-type", "location", "www-authenticate"]
        /// The most bytes that the body of the service's answer may have.
        public var maxBody = ByteSize.kibibytes(8)

        /// No service yet.
        public init() {}

        /// Checks numbers and names.
        public func validate(_ check: inout SettingsCheck) {
            if let cluster {
                check.usesCluster(cluster, at: "cluster")
            } else {
                check.error(
                    "cluster", "name the cluster of the service that is asked", hint: "for example `cluster: auth`")
            }
            var head = RequestHead()
            if !pathPrefix.isEmpty,
                !pathPrefix.hasPrefix("/") || pathPrefix.contains("?") || !head.setTarget(pathPrefix)
            {
                check.error("path_prefix", "must be a path, without a query", hint: "for example `path_prefix: /check`")
            }
            if pathPrefix.hasSuffix("/") {
                check.error("path_prefix", "must not end with `/`", hint: "the request's path begins with one")
            }
            if timeout <= .zero { check.error("timeout", "must be longer than nothing") }
            if !(400...599).contains(statusOnError) {
                check.error("status_on_error", "must be between 400 and 599")
            }
            if maxBody.bytes < 0 || maxBody > .mebibytes(1) { check.error("max_body", "must be from 0 to 1MiB") }
            Self.check(allowedHeaders, "allowed_headers", &check)
            Self.check(allowedUpstreamHeaders, "allowed_upstream_headers", &check)
            Self.check(allowedClientHeaders, "allowed_client_headers", &check)
        }

        /// Fields that say how a message is framed, or where it goes to: they are not for others to set.
        private static let notCopied: Set<String> = [
            "connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding",
            "upgrade",
        ]

        private static func check(_ names: [String], _ key: String, _ check: inout SettingsCheck) {
            for (index, name) in names.enumerated() {
                if HeaderName(name) == nil {
                    check.error("\(key)[\(index)]", "`\(name)` is not the name of a header field")
                } else if notCopied.contains(name.lowercased()) {
                    check.error("\(key)[\(index)]", "`\(name)` belongs to one message alone, and is not copied")
                }
            }
        }
    }
}
