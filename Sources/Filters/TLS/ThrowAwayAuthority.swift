internal import COpenSSL

/// An authority whose key is nowhere but here, for demos and tests: whoever trusts it trusts this process.
///
/// SAFETY: what OpenSSL makes is freed where it was made, or with the object, and is only read in between.
@safe
package final class ThrowAwayAuthority: @unchecked Sendable {
    /// A certificate with its key.
    package struct Pair: Sendable {
        /// The certificate in PEM.
        package let certificate: String
        /// The key in PEM.
        package let key: String
        /// The certificate in DER.
        package let der: [UInt8]
    }

    /// When certificates are valid, in seconds from now. They begin in the past: a clock that was just set right must not
    /// make them useless.
    package struct Validity: Sendable {
        let from: Int
        let until: Int

        /// An hour ago, and in thirty days, unless it is said.
        package init(from: Int = -3600, until: Int = 30 * 86_400) {
            self.from = from
            self.until = until
        }
    }

    private let key: OpaquePointer
    private let certificate: OpaquePointer

    /// Makes a key on P-256, and a certificate for it.
    ///
    /// - Returns: nil where OpenSSL will not.
    package init?(_ subject: String, _ validity: Validity = Validity()) {
        guard let key = unsafe Self.newKey() else { return nil }
        let extensions = [(NID_basic_constraints, "critical,CA:TRUE"), (NID_key_usage, "critical,keyCertSign,cRLSign")]
        guard let made = unsafe Self.sign(subject, key, extensions, validity, issuer: nil) else {
            unsafe EVP_PKEY_free(key)
            return nil
        }
        unsafe self.key = key
        unsafe certificate = made
    }

    deinit {
        unsafe EVP_PKEY_free(key)
        unsafe X509_free(certificate)
    }

    /// The certificate in PEM.
    package var pem: String { unsafe text { unsafe PEM_write_bio_X509($0, certificate) } }

    /// Shows the certificate and the key to OpenSSL's functions.
    package func withOpenSSL<R>(_ body: (_ certificate: OpaquePointer, _ key: OpaquePointer) -> R) -> R {
        unsafe body(certificate, key)
    }

    /// Makes a pair.
    ///
    /// - Parameters:
    ///   - usage: `serverAuth` or `clientAuth`.
    ///   - names: alternative names as OpenSSL's config files write them; empty for none.
    ///   - passphrase: what seals the key; nil for nothing.
    /// - Returns: nil where OpenSSL will not.
    package func issue(
        _ subject: String, usage: String, names: String, _ validity: Validity = Validity(), passphrase: String? = nil
    ) -> Pair? {
        guard let fresh = unsafe Self.newKey() else { return nil }
        defer { unsafe EVP_PKEY_free(fresh) }
        var extensions = [
            (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"),
            (NID_ext_key_usage, usage),
        ]
        if !names.isEmpty { extensions.append((NID_subject_alt_name, names)) }
        guard let made = unsafe Self.sign(subject, fresh, extensions, validity, issuer: (certificate, key)) else {
            return nil
        }
        defer { unsafe X509_free(made) }
        var words = Array((passphrase ?? "").utf8)
        let cipher = unsafe passphrase == nil ? nil : EVP_aes_256_cbc()
        return unsafe Pair(
            certificate: text { unsafe PEM_write_bio_X509($0, made) },
            key: text { unsafe PEM_write_bio_PrivateKey($0, fresh, cipher, &words, Int32(words.count), nil, nil) },
            der: bytes { unsafe i2d_X509_bio($0, made) })
    }

    // MARK: Made by OpenSSL

    private static func newKey() -> OpaquePointer? {
        let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1, unsafe EVP_PKEY_CTX_set_group_name(context, "P-256") == 1,
            unsafe EVP_PKEY_generate(context, &key) == 1
        else {
            return nil
        }
        return unsafe key
    }

    private static func sign(
        _ subject: String, _ key: OpaquePointer, _ extensions: [(nid: Int32, value: String)], _ validity: Validity,
        issuer: (certificate: OpaquePointer, key: OpaquePointer)?
    ) -> OpaquePointer? {
        guard let made = unsafe X509_new() else { return nil }
        let name = unsafe X509_get_subject_name(made)
        var isGood = unsafe X509_set_version(made, 2) == 1
        isGood = unsafe ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), .random(in: 1...(1 << 62))) == 1 && isGood
        _ = unsafe X509_gmtime_adj(X509_getm_notBefore(made), validity.from)
        _ = unsafe X509_gmtime_adj(X509_getm_notAfter(made), validity.until)
        isGood = unsafe X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, subject, -1, -1, 0) == 1 && isGood
        isGood =
            unsafe X509_set_issuer_name(made, issuer.map { unsafe X509_get_subject_name($0.certificate) } ?? name) == 1
            && isGood
        isGood = unsafe X509_set_pubkey(made, key) == 1 && isGood
        for (nid, value) in extensions {
            let part = unsafe X509V3_EXT_conf_nid(nil, nil, nid, value)
            isGood = unsafe X509_add_ext(made, part, -1) == 1 && isGood
            unsafe X509_EXTENSION_free(part)
        }
        isGood = unsafe X509_sign(made, issuer?.key ?? key, EVP_sha256()) > 0 && isGood
        if isGood { return unsafe made }
        unsafe X509_free(made)
        return nil
    }

    private func bytes(_ body: (OpaquePointer?) -> Int32) -> [UInt8] {
        let bio = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free(bio) }
        guard unsafe body(bio) == 1 else { return [] }
        var start: UnsafePointer<UInt8>?
        let count = unsafe tls_buffered(bio, &start)
        return unsafe Array(UnsafeBufferPointer(start: start, count: count))
    }

    private func text(_ body: (OpaquePointer?) -> Int32) -> String {
        unsafe String(decoding: bytes(body), as: UTF8.self)
    }
}
