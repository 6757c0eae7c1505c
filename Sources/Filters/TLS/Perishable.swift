internal import COpenSSL

/// Something in use that ceases to be good at a known time: a certificate, or a list of revoked ones.
struct Perishable: Sendable {
    /// What the log calls it.
    let what: StaticString
    let path: String
    let subject: String
    let notBefore: Int64
    let notAfter: Int64

    /// How long before its end a warning is due: short-lived ones are renewed late, and are all well until then.
    func warningTime(_ usual: Int64) -> Int64 { min(usual, max(0, notAfter - notBefore) / 4) }

    /// The one that ends first of certificates that are good only together.
    static func first(of certificates: [Certificate], _ what: StaticString, _ path: String) -> Perishable? {
        certificates.map { one in
            unsafe Perishable(
                what: what, path: path, subject: X509Reader.name(X509_get_subject_name(one.x509)),
                notBefore: X509Reader.seconds(X509_get0_notBefore(one.x509)),
                notAfter: X509Reader.seconds(X509_get0_notAfter(one.x509)))
        }.min { $0.notAfter < $1.notAfter }
    }
}
