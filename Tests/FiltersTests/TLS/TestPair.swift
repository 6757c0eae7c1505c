import COpenSSL

@testable import Filters

/// A certificate and its key in PEM, made when a test needs them.
typealias TestPair = ThrowAwayAuthority.Pair

extension TestPair {
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
        let validity = ThrowAwayAuthority.Validity(from: from, until: until)
        guard
            let pair = authority.issue("pair", usage: usage, names: names, validity, passphrase: passphrase)
        else { fatalError("OpenSSL makes no pair") }
        return pair
    }

    /// The authority of all pairs, in PEM.
    static let authorityPEM = authority.pem
    /// A pair for tests that need just any.
    static let any = make("DNS:a.test,DNS:*.wild.test")

    /// A list of revocations without an entry, in PEM.
    ///
    /// SAFETY: what OpenSSL makes is freed here.
    static let revocationsPEM: String = {
        let list = unsafe X509_CRL_new()
        defer { unsafe X509_CRL_free(list) }
        let time = unsafe X509_gmtime_adj(nil, 0)
        defer { unsafe ASN1_STRING_free(time) }
        unsafe authority.withOpenSSL { certificate, key in
            unsafe X509_CRL_set_issuer_name(list, X509_get_subject_name(certificate))
            unsafe X509_CRL_set1_lastUpdate(list, time)
            unsafe X509_CRL_set1_nextUpdate(list, X509_gmtime_adj(time, 86_400))
            _ = unsafe X509_CRL_sign(list, key, EVP_sha256())
        }
        let bio = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free(bio) }
        unsafe PEM_write_bio_X509_CRL(bio, list)
        var start: UnsafePointer<UInt8>?
        let count = unsafe tls_buffered(bio, &start)
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }()

    private static let authority: ThrowAwayAuthority = {
        let validity = ThrowAwayAuthority.Validity(from: -86_400, until: 100 * 86_400)
        guard let authority = ThrowAwayAuthority("test authority", validity) else {
            fatalError("OpenSSL makes no authority")
        }
        return authority
    }()
}
