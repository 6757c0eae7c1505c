/// Variables that Envoy has and Sluice does not, so that a format which was written for Envoy is told what is missing
/// and not that there is no such thing.
enum ForeignVariable {
    /// Each with why, or with what to write in its place.
    private static let reasons: [(names: [String], hint: String)] = [
        (
            [
                "METADATA", "DYNAMIC_METADATA", "CLUSTER_METADATA", "UPSTREAM_METADATA", "FILTER_STATE",
                "UPSTREAM_FILTER_STATE",
            ], "filters of Sluice keep no metadata; what they do is in RESPONSE_CODE_DETAILS and in counters"
        ),
        (["CEL", "TYPED_CEL", "COALESCE"], "Sluice has no expressions here; `%REQ(a?b)%` takes another field instead"),
        (["VIRTUAL_CLUSTER_NAME"], "Sluice has no virtual clusters; ROUTE_NAME tells routes apart"),
        (["TLS_JA3_FINGERPRINT", "TLS_JA4_FINGERPRINT"], "Sluice makes no fingerprints of clients"),
        (["ROUNDTRIP_DURATION"], "it is for HTTP/3"),
        (["BYTES_RETRANSMITTED", "PACKETS_RETRANSMITTED"], "it is for HTTP/3"),
        (["LOCAL_REPLY_BODY"], "RESPONSE_CODE_DETAILS says why the answer was made here"),
        (["CUSTOM_FLAGS"], "RESPONSE_FLAGS has all flags that there are"),
        (
            [
                "DOWNSTREAM_WIRE_BYTES_RECEIVED", "DOWNSTREAM_WIRE_BYTES_SENT", "UPSTREAM_WIRE_BYTES_RECEIVED",
                "UPSTREAM_WIRE_BYTES_SENT", "DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED",
                "DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT", "UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED",
                "UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT",
            ], "there are BYTES_RECEIVED and BYTES_SENT for bodies, and DOWNSTREAM_HEADER_BYTES_SENT and its like"
        ),
        (
            [
                "UPSTREAM_CONNECTION_IDS_ATTEMPTED", "UPSTREAM_DETECTED_CLOSE_TYPE", "UPSTREAM_LOCAL_CLOSE_REASON",
                "DOWNSTREAM_DETECTED_CLOSE_TYPE", "DOWNSTREAM_LOCAL_CLOSE_REASON",
                "DOWNSTREAM_TRANSPORT_FAILURE_REASON",
            ], "RESPONSE_CODE_DETAILS has the cause"
        ),
        (
            ["DOWNSTREAM_TLS_SESSION_ID", "UPSTREAM_TLS_SESSION_ID"],
            "Sluice resumes sessions by tickets, which have no id"
        ),
        (
            [
                "DOWNSTREAM_LOCAL_SUBJECT", "DOWNSTREAM_LOCAL_DNS_SAN", "DOWNSTREAM_LOCAL_IP_SAN",
                "DOWNSTREAM_LOCAL_EMAIL_SAN", "DOWNSTREAM_LOCAL_OTHERNAME_SAN",
            ], "there is DOWNSTREAM_LOCAL_URI_SAN"
        ),
        (
            [
                "DOWNSTREAM_PEER_FINGERPRINT_1", "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256",
                "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1", "DOWNSTREAM_PEER_CHAIN_SERIALS",
                "DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256", "DOWNSTREAM_PEER_ISSUER_SERIAL",
                "DOWNSTREAM_PEER_OTHERNAME_SAN",
            ], "there are DOWNSTREAM_PEER_FINGERPRINT_256 and DOWNSTREAM_PEER_SERIAL, of the client's own certificate"
        ),
    ]

    /// All names, each once.
    static var names: [String] { reasons.flatMap(\.names) }

    /// Why Sluice does not have a variable, or what to write in its place; nil where Envoy has none of this name.
    static func hint(for name: String) -> String? { reasons.first { $0.names.contains(name) }?.hint }
}
