internal import FilterAPI

/// What the reasons of TLS mean.
///
/// In a listener there is no request yet, and so no answer: the handshake fails, and the client's library says so.
enum TLSReasons {
    /// Handshakes of both sides.
    private static let both: [Fault.Kind] = [.clientGone, .handshakeFailed]
    private static let client: [Fault.Kind] = [.clientGone]
    private static let running: [Fault.Kind] = [.clientGone, .upstreamClosed]

    static let all: [ReasonDescription] = handshakes + certificates + alerts + records + firstMessages

    private static let handshakes: [ReasonDescription] = [
        .init(
            "tls.plain_http", client, "A request in plain HTTP at a port with TLS.",
            lookAt: "Whether the client uses `https://`; for both on one port take `chains` with `match: { tls: … }`.",
            outcome: "400 in plain HTTP, which says so"),
        .init(
            "tls.not_tls", both, "What came first is something else than TLS.",
            lookAt: "What the other side speaks at this port."),
        .init(
            "tls.version", both, "The two sides have no version of TLS in common.",
            lookAt: "`min_version` and `max_version`; clients with TLS 1.1 or less are too old."),
        .init(
            "tls.no_shared_cipher", both, "The two sides have no cipher suite in common.",
            lookAt: "`ciphers`; a client that knows RSA only needs an RSA certificate beside that of ECDSA."),
        .init(
            "tls.no_shared_group", both, "The two sides have no group for the exchange of keys in common.",
            lookAt: "`groups`."),
        .init(
            "tls.no_shared_signature", both, "The other side can check no signature of the certificate's kind.",
            lookAt: "The kind of key; offer a second certificate of another kind."),
        .init(
            "tls.no_application_protocol", both, "The two sides have no protocol in common (ALPN).",
            lookAt: "`alpn`, and what the other side offers."),
        .init(
            "tls.unknown_name", client,
            "No certificate has the name that the client asks for, and `unknown_names` is `refuse`.",
            lookAt: "The name (`server_name` in the process log at `debug`); scanners ask for none."),
        .init(
            "tls.handshake_timeout", both, "The handshake was not over within `handshake_timeout`.",
            lookAt: "The network to the other side, or its load."),
        .init(
            "tls.closed_in_handshake", both, "The other side has closed within the handshake.",
            lookAt:
                """
                Its log: it does not like a certificate or a version and does not say so; health checks over TCP \
                do so too.
                """
        ),
        .init(
            "tls.no_client_certificate", client, "The client has shown no certificate, and has to.",
            lookAt: "How the client is set up; `client_certificates: optional` lets it in."),
        .init(
            "tls.handshake_failed", both, "The handshake broke the protocol.",
            lookAt: "The process log, which has OpenSSL's words; something between that changes bytes."),
        .init(
            "tls.out_of_memory", [.overloaded], "OpenSSL has no memory for a connection.",
            lookAt: "The limit of the process's memory."),
    ]

    private static let certificates: [ReasonDescription] = [
        .init(
            "tls.unknown_ca", both, "The peer's certificate is of no authority that is trusted.",
            lookAt: "`ca`; or the peer leaves out an intermediate certificate."),
        .init(
            "tls.certificate_expired", both, "The peer's certificate has expired.",
            lookAt: "The peer's certificate, and the clock of this machine."),
        .init(
            "tls.certificate_not_yet_valid", both, "The peer's certificate is not valid yet.",
            lookAt: "The clocks of both machines."),
        .init(
            "tls.certificate_revoked", both, "The peer's certificate is on a list of revoked ones.",
            lookAt: "`crl`, and who has the certificate."),
        .init(
            "tls.wrong_name", both, "The endpoint's certificate is for another name.",
            lookAt:
                """
                `server_name` and `accepted_names` of the cluster's `tls`; an endpoint given by its address is \
                verified by it.
                """
        ),
        .init(
            "tls.name_not_accepted", both, "The peer's certificate has none of the `accepted_names`.",
            lookAt: "`accepted_names`, and who the peer is."),
        .init(
            "tls.wrong_purpose", both,
            "The peer's certificate is not made for its side: a server's shown by a client, or the other way.",
            lookAt: "The extended key usage of the certificate."),
        .init(
            "tls.chain_too_long", both,
            "There are more authorities between the peer's certificate and a trusted one than `verify_depth`.",
            lookAt: "`verify_depth`."),
        .init(
            "tls.no_crl", both, "`crl` has no list of the authority that made the peer's certificate.",
            lookAt: "`crl`: one list for each authority of the chain."),
        .init(
            "tls.crl_expired", both, "The list of revoked certificates is older than it says it may be.",
            lookAt: "Whoever fetches `crl`."),
        .init(
            "tls.certificate_refused", both, "The peer's certificate fails a check that has no reason of its own.",
            lookAt: "`check` in the process log."),
    ]

    private static let alerts: [ReasonDescription] = [
        .init(
            "tls.alert_unknown_ca", both, "The peer trusts no authority of our certificate.",
            lookAt: "What the peer trusts; whether `certificate` has all intermediate ones."),
        .init("tls.alert_bad_certificate", both, "The peer does not like our certificate.", lookAt: "The peer's log."),
        .init(
            "tls.alert_certificate_expired", both, "The peer says that our certificate has expired.",
            lookAt: "Our certificate, and the peer's clock."),
        .init(
            "tls.alert_certificate_revoked", both, "The peer says that our certificate is revoked.",
            lookAt: "Our certificate's authority."),
        .init(
            "tls.alert_certificate_required", both, "The peer wants a certificate of us.",
            lookAt: "`certificate` and `key` of the cluster's `tls`."),
        .init(
            "tls.alert_handshake_failure", both, "The peer finds nothing in common, and does not say what.",
            lookAt: "Versions, `ciphers`, `groups` and the kind of key."),
        .init(
            "tls.alert_version", both, "The peer has no version of TLS in common with us.",
            lookAt: "`min_version` and `max_version`."),
        .init(
            "tls.alert_unknown_name", both, "The peer has no certificate for the name that we ask for.",
            lookAt: "`server_name` of the cluster's `tls`."),
        .init(
            "tls.alert_no_application_protocol", both, "The peer speaks none of the protocols that we offer (ALPN).",
            lookAt: "`alpn`."),
        .init(
            "tls.alert", both, "The peer has ended the handshake or the connection with another alert.",
            lookAt: "The process log, which has the alert, and the peer's log."),
    ]

    private static let records: [ReasonDescription] = [
        .init(
            "tls.bad_record", running + [.handshakeFailed], "What came does not decrypt.",
            lookAt: "Something between that changes bytes."),
        .init(
            "tls.protocol", running, "The peer breaks the protocol after the handshake.",
            lookAt: "The process log, which has OpenSSL's words."),
        .init(
            "tls.closed_without_notify", running,
            """
            The connection ended without the notice that TLS asks for, so something may be missing: an answer \
            that ends so is cut off.
            """,
            lookAt: "The peer: it was killed, or leaves the notice out."),
        .init(
            "tls.too_many_key_updates", [.clientGone, .upstreamProtocol],
            "The peer changes keys again and again, with next to no data.",
            lookAt: "Who it is: it costs the peer little and us much."),
    ]

    /// Of listeners that look at a client's first message to pick a chain.
    private static let firstMessages: [ReasonDescription] = [
        .init("tls.bad_hello", client, "The first message is no ClientHello that can be read.", lookAt: "Who sent it."),
        .init(
            "tls.bad_extension", client, "An extension of the ClientHello ends behind the message.",
            lookAt: "Who sent it."),
        .init(
            "tls.bad_server_name", client, "The name that the client asks for is not written as one.",
            lookAt: "Who sent it."),
        .init(
            "tls.bad_alpn", client, "The protocols that the client offers are not written as such.",
            lookAt: "Who sent it."),
        .init(
            "tls.no_client_hello", client, "The first message of the handshake is another one than a ClientHello.",
            lookAt: "Who sent it."),
        .init("tls.hello_interrupted", client, "Something else came within the ClientHello.", lookAt: "Who sent it."),
        .init("tls.hello_too_large", client, "The ClientHello is larger than 16 KiB.", lookAt: "Who sent it."),
        .init("tls.record_too_large", client, "A record is larger than TLS allows.", lookAt: "Who sent it."),
        .init(
            "tls.empty_records", client, "The ClientHello comes with empty records in between.",
            lookAt: """
                Who sent it.
                """),
    ]
}
