/// What operators are told of a certificate in use.
public struct CertificateSummary: Sendable {
    /// The file that it was read from.
    public var path: String
    /// The subject's distinguished name (RFC 2253).
    public var subject: String
    /// The serial number in lower case hexadecimal digits.
    public var serialNumber: String
    /// Alternative names with their kind in front: `DNS:example.com`, `URI:spiffe://example.org/web`.
    public var names: [String]
    /// When it begins to be valid, in seconds since 1970.
    public var notBefore: Int64
    /// When it ceases to be valid, in seconds since 1970.
    public var notAfter: Int64
    /// Whether it is there to check others by, and not to be shown.
    public var isAuthority: Bool

    /// From its parts.
    public init(
        path: String, subject: String, serialNumber: String, names: [String], notBefore: Int64, notAfter: Int64,
        isAuthority: Bool
    ) {
        self.path = path
        self.subject = subject
        self.serialNumber = serialNumber
        self.names = names
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.isAuthority = isAuthority
    }
}
