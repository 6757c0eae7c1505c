internal import COpenSSL
internal import FilterAPI

/// A certificate with its chain and its key, read and checked.
///
/// SAFETY: the objects behind the pointers are counted references that this object owns; nothing writes to them after
/// they were read, and OpenSSL counts them atomically.
@safe
final class Credential: @unchecked Sendable {
    let path: String
    let leaf: Certificate
    let key: OpaquePointer
    let chain: [Certificate]
    let facts: PeerCertificate
    /// Which of its certificates ends first.
    let perishable: Perishable
    /// How many certificates stand between it and its authority.
    var chainCount: Int { chain.count }
    /// The response that is stapled; nil for none.
    let staple: [UInt8]?

    /// Reads a pair.
    ///
    /// - Throws: what is wrong with it.
    init(_ settings: TLS.CertificateSettings) throws(CredentialProblem) {
        let file = settings.certificate
        path = file
        let certificates = try Self.at("certificate") { () throws(FileProblem) in try PEM.certificates(file) }
        let keyPath = settings.key
        let passphrase = try Self.at("passphrase_file") { () throws(FileProblem) in
            try settings.passphraseFile.map { path throws(FileProblem) in try PEM.passphrase(path) }
        }
        do throws(FileProblem) { unsafe key = try PEM.key(keyPath, passphrase: passphrase) } catch {
            throw CredentialProblem(key: "key", error)
        }
        leaf = certificates[0]
        chain = Array(certificates.dropFirst())
        unsafe facts = X509Reader.read(leaf.x509, withPEM: true)
        guard let first = Perishable.first(of: certificates, "a certificate", file) else {
            unsafe EVP_PKEY_free(key)
            throw CredentialProblem(key: "certificate", FileProblem(file, "has no certificate"))
        }
        perishable = first
        var problem: CredentialProblem?
        var response: [UInt8]?
        if unsafe X509_check_private_key(leaf.x509, key) != 1 {
            ERR_clear_error()
            problem = CredentialProblem(
                key: "key", FileProblem(keyPath, "is not the key of the certificate `\(file)`"))
        } else if let path = settings.ocspStaple {
            do throws(FileProblem) { response = try PEM.staple(path) } catch {
                problem = CredentialProblem(key: "ocsp_staple", error)
            }
        }
        staple = response
        if let problem { throw problem }
    }

    private static func at<R>(_ key: String, _ body: () throws(FileProblem) -> R) throws(CredentialProblem) -> R {
        do throws(FileProblem) { return try body() } catch { throw CredentialProblem(key: key, error) }
    }

    deinit { unsafe EVP_PKEY_free(key) }

    /// The host names that it is good for, in lower case; wildcards as they stand.
    var names: [String] { facts.dnsNames.map { $0.lowercased() } }
}

/// What is wrong with a pair, and which of its settings is to blame.
struct CredentialProblem: Error {
    let key: String
    let problem: FileProblem

    init(key: String, _ problem: FileProblem) {
        self.key = key
        self.problem = problem
    }
}
