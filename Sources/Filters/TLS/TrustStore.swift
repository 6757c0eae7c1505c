internal import COpenSSL
internal import FilterAPI
internal import Glibc

/// Whose certificates are trusted, and which of them are revoked.
///
/// SAFETY: as ``Credential``; a store of OpenSSL has a lock of its own.
@safe
final class TrustStore: @unchecked Sendable {
    let store: OpaquePointer
    /// The authorities, which clients are told of; empty for the system's.
    private(set) var authorities: [Certificate] = []
    /// What it was made of, so that sessions end with the trust that they rested on.
    private(set) var fingerprint: UInt64 = 0xcbf2_9ce4_8422_2325
    /// The earliest time at which one of the lists of revocations is out of date; nil where there is none.
    private(set) var nextUpdate: Int64?

    /// Where distributions keep the authorities that they trust.
    private static let systemFiles = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
    ]

    /// The files behind a setting: itself, or the first of the system's that is there.
    static func path(_ setting: String) -> String {
        guard setting == "system" else { return setting }
        if let named = unsafe getenv("SSL_CERT_FILE") { return unsafe String(cString: named) }
        return systemFiles.first { unsafe access($0, R_OK) == 0 } ?? systemFiles[0]
    }

    /// - Throws: what is wrong with the files.
    init(ca: String, crl: String?, namesAuthorities: Bool) throws(CredentialProblem) {
        guard let made = unsafe X509_STORE_new() else {
            throw CredentialProblem(key: "ca", FileProblem(ca, "cannot be kept: out of memory"))
        }
        unsafe store = unsafe made
        do throws(FileProblem) {
            for certificate in try PEM.certificates(ca) {
                _ = unsafe X509_STORE_add_cert(store, certificate.x509)
                unsafe mix(X509_subject_name_hash(certificate.x509))
                if namesAuthorities { authorities.append(certificate) }
            }
        } catch { throw CredentialProblem(key: "ca", error) }
        ERR_clear_error()
        guard let crl else { return }
        do throws(FileProblem) { try addRevocations(crl) } catch { throw CredentialProblem(key: "crl", error) }
    }

    private func addRevocations(_ path: String) throws(FileProblem) {
        unsafe try PEM.revocations(path) { list in
            _ = unsafe X509_STORE_add_crl(store, list)
            unsafe mixDigest(of: list)
            if let time = unsafe X509_CRL_get0_nextUpdate(list) {
                nextUpdate = min(nextUpdate ?? .max, unsafe X509Reader.seconds(time))
            }
        }
        // Of the whole chain: an authority may be revoked as well.
        _ = unsafe X509_STORE_set_flags(store, UInt(X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL))
        ERR_clear_error()
    }

    private func mixDigest(of list: OpaquePointer) {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard unsafe X509_CRL_digest(list, EVP_sha256(), &digest, &count) == 1 else { return }
        for byte in digest.prefix(8) { mix(UInt(byte)) }
    }

    private func mix(_ value: UInt) { fingerprint = (fingerprint ^ UInt64(value)) &* 0x100_0000_01b3 }

    deinit { unsafe X509_STORE_free(store) }
}
