internal import FilterAPI

/// What is counted of TLS, of a listener's connections or a cluster's.
enum TLSStat: Int, StatKey {
    case handshake, sessionReused, noCertificate, connectionError, failVerifyNoCert, failVerifyError, failVerifySAN
    case versionTLS12, versionTLS13

    static let entries: [StatSchema.Entry] = [
        .init(.counter("handshake", "Handshakes that were completed.")),
        .init(.counter("session_reused", "Handshakes that took up an earlier session.")),
        .init(.counter("no_certificate", "Handshakes in which the peer has shown no certificate.")),
        .init(.counter("connection_error", "Connections that failed in TLS, for other reasons than certificates.")),
        .init(.counter("fail_verify_no_cert", "Connections refused because the peer has shown no certificate.")),
        .init(.counter("fail_verify_error", "Connections refused because the peer's certificate is not trusted.")),
        .init(.counter("fail_verify_san", "Connections refused because the peer's certificate has another name.")),
        .init(
            .counter("versions.TLSv1.2", "Handshakes in this version."), prometheus: "versions_total",
            label: "version=\"TLSv1.2\""),
        .init(
            .counter("versions.TLSv1.3", "Handshakes in this version."), prometheus: "versions_total",
            label: "version=\"TLSv1.3\""),
    ]

    static let schema = StatSchema(entries)

    static func cipher(_ name: String) -> StatSchema.Entry {
        .init(
            .counter("ciphers.\(name)", "Handshakes with this cipher suite."), prometheus: "ciphers_total",
            label: "cipher=\"\(PrometheusLabels.escaped(name))\"")
    }
}
