/// The variables that take no argument, by the names that Envoy's users know.
enum FormatVariable: String, CaseIterable, Sendable {
    case accessLogType = "ACCESS_LOG_TYPE"
    case bytesReceived = "BYTES_RECEIVED"
    case bytesSent = "BYTES_SENT"
    case connectionID = "CONNECTION_ID"
    case connectionTerminationDetails = "CONNECTION_TERMINATION_DETAILS"
    case downstreamALPN = "DOWNSTREAM_ALPN"
    case downstreamDirectLocalAddress = "DOWNSTREAM_DIRECT_LOCAL_ADDRESS"
    case downstreamDirectLocalAddressWithoutPort = "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT"
    case downstreamDirectLocalPort = "DOWNSTREAM_DIRECT_LOCAL_PORT"
    case downstreamDirectRemoteAddress = "DOWNSTREAM_DIRECT_REMOTE_ADDRESS"
    case downstreamDirectRemoteAddressWithoutPort = "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT"
    case downstreamDirectRemotePort = "DOWNSTREAM_DIRECT_REMOTE_PORT"
    case downstreamHandshakeDuration = "DOWNSTREAM_HANDSHAKE_DURATION"
    case downstreamHeaderBytesReceived = "DOWNSTREAM_HEADER_BYTES_RECEIVED"
    case downstreamHeaderBytesSent = "DOWNSTREAM_HEADER_BYTES_SENT"
    case downstreamLocalAddress = "DOWNSTREAM_LOCAL_ADDRESS"
    case downstreamLocalAddressWithoutPort = "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT"
    case downstreamLocalPort = "DOWNSTREAM_LOCAL_PORT"
    case downstreamLocalURI = "DOWNSTREAM_LOCAL_URI_SAN"
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
    case downstreamTLSGroup = "DOWNSTREAM_TLS_GROUP"
    case downstreamTLSResumed = "DOWNSTREAM_TLS_RESUMED"
    case downstreamTLSVersion = "DOWNSTREAM_TLS_VERSION"
    case duration = "DURATION"
    case filterChainName = "FILTER_CHAIN_NAME"
    case filterTimes = "FILTER_TIMES"
    case grpcStatusNumber = "GRPC_STATUS_NUMBER"
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
    case responseFlagsLong = "RESPONSE_FLAGS_LONG"
    case responseHeadersBytes = "RESPONSE_HEADERS_BYTES"
    case responseTrailersBytes = "RESPONSE_TRAILERS_BYTES"
    case responseTransmitDuration = "RESPONSE_TX_DURATION"
    case routeName = "ROUTE_NAME"
    case spanID = "SPAN_ID"
    case streamID = "STREAM_ID"
    case traceID = "TRACE_ID"
    case uniqueID = "UNIQUE_ID"
    case upstreamCluster = "UPSTREAM_CLUSTER"
    case upstreamClusterRaw = "UPSTREAM_CLUSTER_RAW"
    case upstreamConnectionID = "UPSTREAM_CONNECTION_ID"
    case upstreamConnectionPoolReadyDuration = "UPSTREAM_CONNECTION_POOL_READY_DURATION"
    case upstreamHeaderBytesReceived = "UPSTREAM_HEADER_BYTES_RECEIVED"
    case upstreamHeaderBytesSent = "UPSTREAM_HEADER_BYTES_SENT"
    case upstreamHost = "UPSTREAM_HOST"
    case upstreamHostName = "UPSTREAM_HOST_NAME"
    case upstreamHostNameWithoutPort = "UPSTREAM_HOST_NAME_WITHOUT_PORT"
    case upstreamHostNamesAttempted = "UPSTREAM_HOST_NAMES_ATTEMPTED"
    case upstreamHostNamesAttemptedWithoutPort = "UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT"
    case upstreamHostsAttempted = "UPSTREAM_HOSTS_ATTEMPTED"
    case upstreamHostsAttemptedWithoutPort = "UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT"
    case upstreamLocalAddress = "UPSTREAM_LOCAL_ADDRESS"
    case upstreamLocalAddressWithoutPort = "UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT"
    case upstreamLocalPort = "UPSTREAM_LOCAL_PORT"
    case upstreamPeerCertificate = "UPSTREAM_PEER_CERT"
    case upstreamPeerDNSNames = "UPSTREAM_PEER_DNS_SAN"
    case upstreamPeerIPAddresses = "UPSTREAM_PEER_IP_SAN"
    case upstreamPeerIssuer = "UPSTREAM_PEER_ISSUER"
    case upstreamPeerSubject = "UPSTREAM_PEER_SUBJECT"
    case upstreamPeerURIs = "UPSTREAM_PEER_URI_SAN"
    case upstreamProtocol = "UPSTREAM_PROTOCOL"
    case upstreamRemoteAddress = "UPSTREAM_REMOTE_ADDRESS"
    case upstreamRemoteAddressWithoutPort = "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT"
    case upstreamRemotePort = "UPSTREAM_REMOTE_PORT"
    case upstreamRequestAttemptCount = "UPSTREAM_REQUEST_ATTEMPT_COUNT"
    case upstreamServerName = "UPSTREAM_SERVER_NAME"
    case upstreamTLSCipher = "UPSTREAM_TLS_CIPHER"
    case upstreamTLSGroup = "UPSTREAM_TLS_GROUP"
    case upstreamTLSVersion = "UPSTREAM_TLS_VERSION"
    case upstreamTransportFailureReason = "UPSTREAM_TRANSPORT_FAILURE_REASON"

    /// What the value is, where it stands by itself in JSON.
    var type: FormatType {
        switch self {
        case .downstreamTLSResumed: .boolean
        case .downstreamDirectLocalPort, .downstreamDirectRemotePort, .downstreamLocalPort, .downstreamRemotePort,
            .upstreamLocalPort, .upstreamRemotePort:
            .number
        default: isCounted ? .number : .text
        }
    }

    /// Whether the value is at hand as a number.
    var isCounted: Bool {
        switch self {
        case .bytesReceived, .bytesSent, .connectionID, .downstreamHandshakeDuration, .downstreamHeaderBytesReceived,
            .downstreamHeaderBytesSent, .duration, .grpcStatusNumber, .requestDuration, .requestHeadersBytes,
            .requestTransmitDuration, .responseCode, .responseDuration, .responseHeadersBytes, .responseTrailersBytes,
            .responseTransmitDuration, .upstreamConnectionID, .upstreamConnectionPoolReadyDuration,
            .upstreamHeaderBytesReceived, .upstreamHeaderBytesSent, .upstreamRequestAttemptCount:
            true
        default: false
        }
    }

    /// The variables that take arguments, or whose value is known when the config is read.
    static let others = [
        "COMMON_DURATION", "DOWNSTREAM_PEER_CERT_V_END", "DOWNSTREAM_PEER_CERT_V_START", "EMIT_TIME", "EMIT_TIME_LOCAL",
        "ENVIRONMENT", "FILTER_TIME", "GRPC_STATUS", "HOSTNAME", "PATH", "QUERY_PARAM", "QUERY_PARAMS", "REQ",
        "REQUEST_HEADER", "RESP", "RESPONSE_HEADER", "RESPONSE_TRAILER", "START_TIME", "START_TIME_LOCAL", "TRAILER",
        "UPSTREAM_PEER_CERT_V_END", "UPSTREAM_PEER_CERT_V_START",
    ]

    /// All names.
    static var names: [String] { allCases.map(\.rawValue) + others }
}

/// What JSON writes a value as.
enum FormatType: Sendable {
    case text
    case number
    case boolean
}
