import COpenSSL
import Glibc

/// A certificate and its key in PEM, made when a test needs them.
///
/// SAFETY of the whole file: what OpenSSL makes is freed where it was made, or lives as long as the process.
struct TestPair: Sendable {
    let certificate: String
    let key: String
    /// The certificate in DER.
    let der: [UInt8]

    /// - Parameters:
    ///   - names: alternative names as OpenSSL's config files write them; empty for none.
    ///   - from: when it begins to be valid, in seconds from now.
    ///   - until: when it ceases to be valid, in seconds from now.
    ///   - usage: `serverAuth` or `clientAuth`.
    ///   - passphrase: what seals the key.
    static func make(
        _ names: String = "DNS:a.test", from: Int = -3600, until: Int = 30 * 86_400, usage: String = "serverAuth",
        passphrase: String? = nil
    ) -> TestPair {
        let key = unsafe newKey()
        defer { unsafe EVP_PKEY_free(key) }
        let extensions = [(NID_basic_constraints, "critical,CA:FALSE"), (NID_ext_key_usage, usage)]
        let certificate = unsafe sign(
            "pair", key, extensions + (names.isEmpty ? [] : [(NID_subject_alt_name, names)]), (from, until),
            issuer: (authority.certificate, authority.key))
        defer { unsafe X509_free(certificate) }
        var words = Array((passphrase ?? "").utf8)
        let cipher = unsafe passphrase == nil ? nil : EVP_aes_256_cbc()
        return unsafe TestPair(
            certificate: text { unsafe PEM_write_bio_X509($0, certificate) },
            key: text { unsafe PEM_write_bio_PrivateKey($0, key, cipher, &words, Int32(words.count), nil, nil) },
            der: bytes { unsafe i2d_X509_bio($0, certificate) })
    }

    /// The authority of all pairs, in PEM.
    static let authorityPEM = unsafe text { unsafe PEM_write_bio_X509($0, authority.certificate) }
    /// A pair for tests that need just any.
    static let any = make("DNS:a.test,DNS:*.wild.test")

    /// A list of revocations without an entry, in PEM.
    static let revocationsPEM: String = {
        let list = unsafe X509_CRL_new()
        defer { unsafe X509_CRL_free(list) }
        let time = unsafe X509_gmtime_adj(nil, 0)
        defer { unsafe ASN1_STRING_free(time) }
        unsafe X509_CRL_set_issuer_name(list, X509_get_subject_name(authority.certificate))
        unsafe X509_CRL_set1_lastUpdate(list, time)
        unsafe X509_CRL_set1_nextUpdate(list, X509_gmtime_adj(time, 86_400))
        unsafe X509_CRL_sign(list, authority.key, EVP_sha256())
        return unsafe text { unsafe PEM_write_bio_X509_CRL($0, list) }
    }()

    // MARK: Made by OpenSSL

    /// SAFETY: made once, and only read afterwards.
    @safe
    private struct Authority: @unchecked Sendable {
        let certificate: OpaquePointer
        let key: OpaquePointer
    }

    private static let authority: Authority = {
        let key = unsafe newKey()
        let extensions = [(NID_basic_constraints, "critical,CA:TRUE"), (NID_key_usage, "critical,keyCertSign,cRLSign")]
        let certificate = unsafe sign("test authority", key, extensions, (-86_400, 100 * 86_400), issuer: nil)
        return unsafe Authority(certificate: certificate, key: key)
    }()

    private static func newKey() -> OpaquePointer {
        let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1, unsafe EVP_PKEY_CTX_set_group_name(context, "P-256") == 1,
            unsafe EVP_PKEY_generate(context, &key) == 1, let key = unsafe key
        else {
            fatalError("OpenSSL makes no key")
        }
        return unsafe key
    }

    private static func sign(
        _ subject: String, _ key: OpaquePointer, _ extensions: [(nid: Int32, value: String)],
        _ valid: (from: Int, until: Int), issuer: (certificate: OpaquePointer, key: OpaquePointer)?
    ) -> OpaquePointer {
        guard let made = unsafe X509_new() else { fatalError("OpenSSL is out of memory") }
        let name = unsafe X509_get_subject_name(made)
        unsafe X509_set_version(made, 2)
        unsafe ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), .random(in: 1...(1 << 62)))
        unsafe X509_gmtime_adj(X509_getm_notBefore(made), valid.from)
        unsafe X509_gmtime_adj(X509_getm_notAfter(made), valid.until)
        unsafe X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, subject, -1, -1, 0)
        unsafe X509_set_issuer_name(made, issuer.map { unsafe X509_get_subject_name($0.certificate) } ?? name)
        unsafe X509_set_pubkey(made, key)
        for (nid, value) in extensions {
            let part = unsafe X509V3_EXT_conf_nid(nil, nil, nid, value)
            unsafe X509_add_ext(made, part, -1)
            unsafe X509_EXTENSION_free(part)
        }
        guard unsafe X509_sign(made, issuer?.key ?? key, EVP_sha256()) > 0 else { fatalError("OpenSSL does not sign") }
        return unsafe made
    }

    private static func bytes(_ body: (OpaquePointer?) -> Int32) -> [UInt8] {
        let bio = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free(bio) }
        _ = unsafe body(bio)
        var start: UnsafePointer<UInt8>?
        let count = unsafe tls_buffered(bio, &start)
        return unsafe Array(UnsafeBufferPointer(start: start, count: count))
    }

    private static func text(_ body: (OpaquePointer?) -> Int32) -> String {
        unsafe String(decoding: bytes(body), as: UTF8.self)
    }
}
