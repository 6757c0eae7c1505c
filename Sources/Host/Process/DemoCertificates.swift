internal import COpenSSL
internal import Glibc

/// Certificates for `sluice demo`, by an authority that forgets its key: files in a folder that goes with the demo.
///
/// They are for this machine, and are made anew each time. For examples there is scripts/certificates, which leaves its files there.
///
/// SAFETY of the whole file: what OpenSSL makes is freed where it was made, and used by nobody afterwards.
struct DemoCertificates {
    /// The folder, absolute, readable by its owner only.
    let folder: String

    private static let names = ["ca.pem", "server.crt", "server.key", "client.crt", "client.key"]

    /// Makes a folder with `ca.pem`, and the pairs `server` and `client`.
    ///
    /// - Returns: nil where the folder cannot be made, or OpenSSL will not.
    static func make() -> DemoCertificates? {
        let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/sluice-demo-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { return nil }
        let path = template.dropLast().map { UInt8(bitPattern: $0) }
        let made = DemoCertificates(folder: String(decoding: path, as: UTF8.self))
        guard made.fill() else {
            made.remove()
            return nil
        }
        return made
    }

    /// Removes the folder with all that was made in it.
    func remove() {
        for name in Self.names { unsafe unlink("\(folder)/\(name)") }
        unsafe rmdir(folder)
    }

    private func fill() -> Bool {
        guard let authority = Issuer("throw-away authority of sluice demo") else { return false }
        guard authority.write(to: "\(folder)/ca.pem") else { return false }
        return authority.issue(
            "server", usage: "serverAuth", names: "DNS:localhost,IP:127.0.0.1,URI:spiffe://sluice.demo/upstream",
            into: "\(folder)/server")
            && authority.issue(
                "client", usage: "clientAuth", names: "URI:spiffe://sluice.demo/proxy", into: "\(folder)/client")
    }
}

/// An authority whose key is nowhere but here.
@safe
private final class Issuer {
    private let key: OpaquePointer
    private let certificate: OpaquePointer

    init?(_ subject: String) {
        guard let key = unsafe Self.newKey() else { return nil }
        let extensions = [(NID_basic_constraints, "critical,CA:TRUE"), (NID_key_usage, "critical,keyCertSign")]
        guard let made = unsafe Self.sign(subject, key, extensions, issuer: nil) else {
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

    func write(to path: String) -> Bool { unsafe Self.write(path) { unsafe PEM_write_bio_X509($0, certificate) } }

    /// Makes a pair, and writes `file`.crt and `file`.key.
    func issue(_ subject: String, usage: String, names: String, into file: String) -> Bool {
        guard let fresh = unsafe Self.newKey() else { return false }
        defer { unsafe EVP_PKEY_free(fresh) }
        let extensions = [
            (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"),
            (NID_ext_key_usage, usage), (NID_subject_alt_name, names),
        ]
        guard let made = unsafe Self.sign(subject, fresh, extensions, issuer: (certificate, key)) else { return false }
        defer { unsafe X509_free(made) }
        return unsafe Self.write(file + ".crt") { unsafe PEM_write_bio_X509($0, made) }
            && Self.write(file + ".key") { unsafe PEM_write_bio_PrivateKey($0, fresh, nil, nil, 0, nil, nil) }
    }

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
        _ subject: String, _ key: OpaquePointer, _ extensions: [(nid: Int32, value: String)],
        issuer: (certificate: OpaquePointer, key: OpaquePointer)?
    ) -> OpaquePointer? {
        guard let made = unsafe X509_new() else { return nil }
        let name = unsafe X509_get_subject_name(made)
        var isGood = unsafe X509_set_version(made, 2) == 1
        isGood = unsafe ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), .random(in: 1...(1 << 62))) == 1 && isGood
        // A clock that was just set right must not make the demo fail.
        _ = unsafe X509_gmtime_adj(X509_getm_notBefore(made), -3600)
        _ = unsafe X509_gmtime_adj(X509_getm_notAfter(made), 30 * 86_400)
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

    private static func write(_ path: String, _ body: (OpaquePointer) -> Int32) -> Bool {
        guard let bio = unsafe BIO_new_file(path, "w") else { return false }
        defer { unsafe BIO_free(bio) }
        return unsafe body(bio) == 1
    }
}
