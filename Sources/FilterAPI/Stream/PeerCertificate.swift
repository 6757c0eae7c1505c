/// A peer's certificate whose chain was checked, and whose key the peer has proved to own.
public final class PeerCertificate: Sendable {
    /// The subject's distinguished name (RFC 2253): `CN=web,O=Example`.
    public let subject: String
    /// The issuer's distinguished name (RFC 2253).
    public let issuer: String
    /// The serial number in lower case hexadecimal digits.
    public let serialNumber: String
    /// Alternative names of the kind URI, such as SPIFFE identities.
    public let uris: [String]
    /// Alternative names of the kind DNS, in lower case.
    public let dnsNames: [String]
    /// Alternative names of the kind IP address, as text.
    public let ipAddresses: [String]
    /// Alternative names of the kind e-mail address.
    public let emailAddresses: [String]
    /// The SHA-256 of the certificate, in lower case hexadecimal digits.
    public let fingerprint: String
    /// When it begins to be valid, in seconds since 1970.
    public let notBefore: Int64
    /// When it ceases to be valid, in seconds since 1970.
    public let notAfter: Int64
    /// The certificate itself, in PEM.
    public let pem: String
    /// The certificate and those that the peer sent with it, in PEM, its own first.
    public let chainPEM: String

    /// From its parts.
    public init(
        subject: String = "", issuer: String = "", serialNumber: String = "", uris: [String] = [],
        dnsNames: [String] = [], ipAddresses: [String] = [], emailAddresses: [String] = [], fingerprint: String = "",
        notBefore: Int64 = 0, notAfter: Int64 = 0, pem: String = "", chainPEM: String = ""
    ) {
        self.subject = subject
        self.issuer = issuer
        self.serialNumber = serialNumber
        self.uris = uris
        self.dnsNames = dnsNames.map { $0.lowercased() }
        self.ipAddresses = ipAddresses
        self.emailAddresses = emailAddresses
        self.fingerprint = fingerprint
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.pem = pem
        self.chainPEM = chainPEM
    }
}
