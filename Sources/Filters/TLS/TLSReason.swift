internal import COpenSSL

/// The stable words for what goes wrong in TLS, from OpenSSL's numbers.
enum TLSReason {
    static func find(_ code: UInt, verification: Int32?, isOpen: Bool, isServer: Bool) -> StaticString {
        if let verification, tls_error_reason(code) == SSL_R_CERTIFICATE_VERIFY_FAILED {
            return certificate(verification)
        }
        let reason = tls_error_reason(code)
        if tls_error_library(code) == ERR_LIB_SSL {
            if reason > SSL_AD_REASON_OFFSET { return alert(reason - SSL_AD_REASON_OFFSET) }
            if let known = handshake(reason) { return known }
            if reason == SSL_R_UNEXPECTED_EOF_WHILE_READING {
                return isOpen ? "tls.closed_without_notify" : "tls.closed_in_handshake"
            }
        }
        return isOpen ? "tls.protocol" : "tls.handshake_failed"
    }

    private static func handshake(_ reason: Int32) -> StaticString? {
        switch reason {
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_NO_PROTOCOLS_AVAILABLE,
            SSL_R_UNKNOWN_PROTOCOL:
            "tls.version"
        case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST, SSL_R_UNEXPECTED_RECORD,
            SSL_R_BAD_RECORD_TYPE:
            "tls.not_tls"
        case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_CIPHERS_SPECIFIED, SSL_R_NO_CIPHERS_AVAILABLE: "tls.no_shared_cipher"
        case SSL_R_NO_SHARED_GROUPS, SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SUITABLE_GROUPS: "tls.no_shared_group"
        case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
            "tls.no_shared_signature"
        case SSL_R_NO_APPLICATION_PROTOCOL: "tls.no_application_protocol"
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: "tls.no_client_certificate"
        case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, SSL_R_BAD_RECORD_TYPE: "tls.bad_record"
        case SSL_R_CERTIFICATE_VERIFY_FAILED: "tls.certificate_refused"
        default: nil
        }
    }

    /// What the peer has told us to be wrong (RFC 8446 section 6.2).
    private static func alert(_ number: Int32) -> StaticString {
        switch number {
        case SSL_AD_UNKNOWN_CA: "tls.alert_unknown_ca"
        case SSL_AD_BAD_CERTIFICATE, SSL_AD_CERTIFICATE_UNKNOWN, SSL_AD_UNSUPPORTED_CERTIFICATE:
            "tls.alert_bad_certificate"
        case SSL_AD_CERTIFICATE_EXPIRED: "tls.alert_certificate_expired"
        case SSL_AD_CERTIFICATE_REVOKED: "tls.alert_certificate_revoked"
        case TLS13_AD_CERTIFICATE_REQUIRED: "tls.alert_certificate_required"
        case SSL_AD_HANDSHAKE_FAILURE: "tls.alert_handshake_failure"
        case SSL_AD_PROTOCOL_VERSION: "tls.alert_version"
        case SSL_AD_UNRECOGNIZED_NAME: "tls.alert_unknown_name"
        case SSL_AD_NO_APPLICATION_PROTOCOL: "tls.alert_no_application_protocol"
        default: "tls.alert"
        }
    }

    private static func certificate(_ error: Int32) -> StaticString {
        switch error {
        case X509_V_ERR_CERT_HAS_EXPIRED: "tls.certificate_expired"
        case X509_V_ERR_CERT_NOT_YET_VALID: "tls.certificate_not_yet_valid"
        case X509_V_ERR_CERT_REVOKED: "tls.certificate_revoked"
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: "tls.wrong_name"
        case X509_V_ERR_APPLICATION_VERIFICATION: "tls.name_not_accepted"
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_SIGNATURE_FAILURE:
            "tls.unknown_ca"
        case X509_V_ERR_CERT_CHAIN_TOO_LONG: "tls.chain_too_long"
        case X509_V_ERR_INVALID_PURPOSE: "tls.wrong_purpose"
        case X509_V_ERR_UNABLE_TO_GET_CRL: "tls.no_crl"
        case X509_V_ERR_CRL_HAS_EXPIRED: "tls.crl_expired"
        default: "tls.certificate_refused"
        }
    }
}
