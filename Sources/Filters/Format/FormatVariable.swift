/// The variables that take no argument, by the names that Envoy's users know.
enum FormatVariable: String, CaseIterable, Sendable {
    case bytesReceived = "BYTES_RECEIVED"
    case bytesSent = "BYTES_SENT"
    case connectionID = "CONNECTION_ID"
    case downstreamALPN = "DOWNSTREAM_ALPN"
    case downstreamDirectRemoteAddress = "DOWNSTREAM_DIRECT_REMOTE_ADDRESS"
    case downstreamDirectRemoteAddressWithoutPort = "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT"
    case downstreamLocalAddress = "DOWNSTREAM_LOCAL_ADDRESS"
    case downstreamLocalAddressWithoutPort = "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT"
    case downstreamLocalPort = "DOWNSTREAM_LOCAL_PORT"
    case downstreamPeerCertificate = "DOWNSTREAM_PEER_CERT"
    case downstreamPeerDNSNames = "DOWNSTREAM_PEER_DNS_SAN"
    case downstreamPeerEmailAddresses = "DOWNSTREAM_PEER_EMAIL_SAN"
    case downstreamPeerFingerprint = "DOWNSTREAM_PEER_FINGERPRINT_256"
    case downstreamPeerIPAddresses = "DOWNSTREAM_PEER_IP_SAN"
    case downstreamPeerIssuer = "DOWNSTREAM_PEER_ISSUER"
    case downstreamPeerSerial = "DOWNSTREAM_PEER_SERIAL"
    case downstreamPeerSubject = "DOWNSTREAM_PEER_SUBJECT"
    case downstreamPeerURIs = "DOWNSTREAM_PEER_URI_SAN"
    case downstreamRemoteAddress = "DOWNSTREAM_REMOTE_ADDRESS"
    case downstreamRemoteAddressWithoutPort = "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT"
    case downstreamRemotePort = "DOWNSTREAM_REMOTE_PORT"
    case downstreamTLSCipher = "DOWNSTREAM_TLS_CIPHER"
    case downstreamTLSResumed = "DOWNSTREAM_TLS_RESUMED"
    case downstreamTLSVersion = "DOWNSTREAM_TLS_VERSION"
    case duration = "DURATION"
    case `protocol` = "PROTOCOL"
    case reachedLimit = "REACHED_LIMIT"
    case requestDuration = "REQUEST_DURATION"
    case requestHeadersBytes = "REQUEST_HEADERS_BYTES"
    case requestTransmitDuration = "REQUEST_TX_DURATION"
    case requestedServerName = "REQUESTED_SERVER_NAME"
    case responseCode = "RESPONSE_CODE"
    case responseCodeDetails = "RESPONSE_CODE_DETAILS"
    case responseDuration = "RESPONSE_DURATION"
    case responseFlags = "RESPONSE_FLAGS"
    case responseTransmitDuration = "RESPONSE_TX_DURATION"
    case routeName = "ROUTE_NAME"
    case spanID = "SPAN_ID"
    case streamID = "STREAM_ID"
    case traceID = "TRACE_ID"
    case upstreamCluster = "UPSTREAM_CLUSTER"
    case upstreamConnectionPoolReadyDuration = "UPSTREAM_CONNECTION_POOL_READY_DURATION"
    case upstreamHost = "UPSTREAM_HOST"
    case upstreamProtocol = "UPSTREAM_PROTOCOL"
    case upstreamRemoteAddress = "UPSTREAM_REMOTE_ADDRESS"
    case upstreamRequestAttemptCount = "UPSTREAM_REQUEST_ATTEMPT_COUNT"

    /// Whether the value is a whole number.
    var isNumber: Bool {
        switch self {
        case .bytesReceived, .bytesSent, .connectionID, .duration, .requestDuration, .requestHeadersBytes,
            .requestTransmitDuration, .responseCode, .responseDuration, .responseTransmitDuration,
            .upstreamConnectionPoolReadyDuration, .upstreamRequestAttemptCount:
            true
        default: false
        }
    }

    /// The variables that take arguments, or whose value is known when the config is read.
    static let others = [
        "DOWNSTREAM_PEER_CERT_V_END", "DOWNSTREAM_PEER_CERT_V_START", "ENVIRONMENT", "HOSTNAME", "REQ", "RESP",
        "START_TIME",
    ]

    /// All names.
    static var names: [String] { allCases.map(\.rawValue) + others }
}
