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
    /// The authority, and the list of revoked certificates, that end first.
    private(set) var perishables: [Perishable] = []

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
    init(ca: String, crl: String?, namesAuthorities: Bool, isSystem: Bool) throws(CredentialProblem) {
        guard let made = unsafe X509_STORE_new() else {
            throw CredentialProblem(key: "ca", FileProblem(ca, "cannot be kept: out of memory"))
        }
        unsafe store = unsafe made
        do throws(FileProblem) {
            let certificates = try PEM.certificates(ca)
            if !isSystem { perishables = [Perishable.first(of: certificates, "an authority", ca)].compactMap { $0 } }
            for certificate in certificates {
                _ = unsafe X509_STORE_add_cert(store, certificate.x509)
                unsafe mixDigest { unsafe X509_digest(certificate.x509, EVP_sha256(), $0, $1) }
                if namesAuthorities { authorities.append(certificate) }
            }
        } catch { throw CredentialProblem(key: "ca", error) }
        ERR_clear_error()
        guard let crl else { return }
        do throws(FileProblem) { try addRevocations(crl) } catch { throw CredentialProblem(key: "crl", error) }
    }

    private func addRevocations(_ path: String) throws(FileProblem) {
        var first: Perishable?
        unsafe try PEM.revocations(path) { list in
            _ = unsafe X509_STORE_add_crl(store, list)
            unsafe mixDigest { unsafe X509_CRL_digest(list, EVP_sha256(), $0, $1) }
            // A list without a time for the next one is good for ever.
            guard let end = unsafe X509_CRL_get0_nextUpdate(list), case let end = unsafe X509Reader.seconds(end),
                end < first?.notAfter ?? .max
            else {
                return
            }
            first = unsafe Perishable(
                what: "a list of revoked certificates", path: path,
                subject: X509Reader.name(X509_CRL_get_issuer(list)),
                notBefore: X509Reader.seconds(X509_CRL_get0_lastUpdate(list)), notAfter: end)
        }
        perishables += [first].compactMap { $0 }
        // Of the whole chain: an authority may be revoked as well.
        _ = unsafe X509_STORE_set_flags(store, UInt(X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL))
        ERR_clear_error()
    }

    /// What the authorities say of themselves; those of a file that was read, not the system's.
    func authorities(in path: String) -> [PeerCertificate] {
        let known = authorities.isEmpty ? (try? PEM.certificates(path)) ?? [] : authorities
        return known.map { unsafe X509Reader.read($0.x509, withPEM: false) }
    }

    private func mixDigest(_ digest: (UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<UInt32>) -> Int32) {
        var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard unsafe digest(&bytes, &count) == 1 else { return }
        for byte in bytes.prefix(8) { mix(UInt(byte)) }
    }

    private func mix(_ value: UInt) { fingerprint = (fingerprint ^ UInt64(value)) &* 0x100_0000_01b3 }

    deinit { unsafe X509_STORE_free(store) }
}
