public import FilterAPI

extension HTTP1ServerCodec {
    /// What a listener sets for HTTP.
    public struct Settings: FilterSettings {
        /// Which versions of HTTP clients may speak.
        public var `protocol` = HTTPProtocol.auto
        /// All bytes of a request's head; above, 431.
        public var maxHead = ByteSize.kibibytes(60)
        /// Fields of a request; above, 431.
        public var maxHeaders = 100
        /// One field; above, 431.
        public var maxHeader = ByteSize.kibibytes(16)
        /// A request's target; above, 414.
        public var maxTarget = ByteSize.kibibytes(8)
        /// A request's body; above, 413. 0 for no limit.
        public var maxBody = ByteSize.bytes(0)
        /// From the first byte of a head to its last; above, 408. 0 for no limit.
        public var headTimeout = Duration.seconds(10)
        /// How long a connection is kept without a request; 0 for no limit.
        public var idleTimeout = Duration.seconds(3600)
        /// Between two pieces of a request's body; above, 408. 0 for no limit.
        public var bodyIdleTimeout = Duration.seconds(30)
        /// From the first byte of a request to the last of its body; above, 408. 0 for no limit.
        public var requestTimeout = Duration.zero
        /// After so long a connection ends with the request that it carries then; 0 for no limit.
        public var maxConnectionDuration = Duration.zero
        /// Requests on one connection; 0 for no limit.
        public var maxRequestsPerConnection = 0
        /// Whether HTTP/1.0 is served; else 505.
        public var acceptHTTP10 = true
        /// Whether trailers are passed on.
        public var trailers = true
        /// Whether dot segments are resolved, and escapes of plain letters undone, before anyone sees the path.
        public var normalizePath = true
        /// Whether `//` in a path is one `/`.
        public var mergeSlashes = false
        /// What happens to `%2F` and `%5C` in a path.
        public var escapedSlashes = EscapedSlashes.reject
        /// What happens to fields with `_` in their name.
        public var underscoresInHeaders = UnderscorePolicy.allow
        /// How many proxies in front of this one append to `x-forwarded-for`, and are believed; 0 trusts no client.
        public var trustedHops = 0
        /// What happens to `x-forwarded-for`.
        public var forwardedFor = ForwardedPolicy.append
        /// What happens to `x-forwarded-client-cert`.
        public var forwardedClientCert = ClientCertSettings()
        /// Whether each request gets an `x-request-id`.
        public var requestID = true
        /// What `server` says in responses; empty leaves the upstream's.
        public var serverHeader = "sluice"
        /// The name in `via`; empty for none.
        public var via = ""
        /// What clients are told over HTTP/2.
        public var http2 = HTTP2Settings()

        /// The defaults.
        public init() {}

        enum CodingKeys: String, CodingKey {
            case maxHead, maxHeaders, maxHeader, maxTarget, maxBody, headTimeout, idleTimeout, bodyIdleTimeout
            case requestTimeout, maxConnectionDuration
            case maxRequestsPerConnection, trailers, normalizePath, mergeSlashes, escapedSlashes
            case underscoresInHeaders, trustedHops, forwardedFor, forwardedClientCert, requestID, serverHeader, via
            case `protocol`, http2
            case acceptHTTP10 = "accept_http_10"
        }

        /// Checks ranges, and texts that would end up in messages.
        public func validate(_ check: inout SettingsCheck) {
            if maxHead.bytes < 1024 || maxHead.bytes > 8 << 20 {
                check.error("max_head", "must be between 1KiB and 8MiB")
            }
            if maxHeaders < 1 || maxHeaders > 10_000 { check.error("max_headers", "must be between 1 and 10000") }
            if maxHeader.bytes < 256 || maxHeader.bytes > 65_000 {
                check.error("max_header", "must be between 256B and 65000B")
            }
            if maxTarget.bytes < 64 || maxTarget.bytes > 8 << 20 {
                check.error("max_target", "must be between 64B and 8MiB")
            }
            if maxBody.bytes < 0 { check.error("max_body", "must not be negative") }
            if maxRequestsPerConnection < 0 { check.error("max_requests_per_connection", "must not be negative") }
            if trustedHops < 0 || trustedHops > 32 { check.error("trusted_hops", "must be between 0 and 32") }
            if serverHeader.utf8.contains(where: { $0 < 0x20 || $0 > 0x7E }) {
                check.error("server_header", "must be printable ASCII")
            }
            if !via.utf8.allSatisfy({ ByteClass.isHost($0) || $0 == 0x3A }) {
                check.error("via", "must be a host name or a pseudonym without spaces")
            }
        }

        var limits: HeadLimits {
            HeadLimits(head: maxHead.bytes, fields: maxHeaders, field: maxHeader.bytes, target: maxTarget.bytes)
        }
    }

    /// What happens to an escaped slash or backslash in a path.
    public enum EscapedSlashes: String, Codable, Sendable, CaseIterable {
        /// It stays as it is.
        case keep
        /// The request is refused with 400.
        case reject
        /// It becomes a slash.
        case unescape
    }

    /// What happens to fields with an underscore in their name, which some servers take for a dash.
    public enum UnderscorePolicy: String, Codable, Sendable, CaseIterable {
        /// They are passed on.
        case allow
        /// They are taken out.
        case drop
        /// The request is refused with 400.
        case reject
    }

    /// What happens to `x-forwarded-for`, `-proto` and `-host`.
    public enum ForwardedPolicy: String, Codable, Sendable, CaseIterable {
        /// The client's address is appended.
        case append
        /// They stay as they came, from trusted and other clients alike.
        case keep
        /// They are taken out, and none is added.
        case off
    }
}
