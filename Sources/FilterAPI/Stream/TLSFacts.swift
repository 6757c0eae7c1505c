/// What is known of a connection's TLS, from the end of the handshake on.
///
/// Made once per connection by the filter that ends TLS; never changed afterwards.
public final class TLSFacts: Sendable {
    /// The version that was agreed on.
    public let version: TLSVersion
    /// The cipher suite by its name in OpenSSL, which for TLS 1.3 is the name in the RFC; empty where it is not known.
    public let cipher: String
    /// The group in which keys were exchanged, by its name in OpenSSL; empty where it is not known.
    public let group: String
    /// The protocol that both sides agreed on (ALPN, RFC 7301); nil where they did not.
    public let applicationProtocol: String?
    /// Whether an earlier session was taken up again, without a full handshake.
    public let isResumed: Bool
    /// What the peer has shown and proved to own; nil where it has shown nothing.
    public let peer: PeerCertificate?
    /// The first alternative name of the kind URI in the certificate that was shown to the peer; nil where there is none.
    public let localURI: String?

    /// From its parts.
    public init(
        version: TLSVersion = .tls13, cipher: String = "", applicationProtocol: String? = nil, isResumed: Bool = false,
        peer: PeerCertificate? = nil, localURI: String? = nil, group: String = ""
    ) {
        self.group = group
        self.version = version
        self.cipher = cipher
        self.applicationProtocol = applicationProtocol
        self.isResumed = isResumed
        self.peer = peer
        self.localURI = localURI
    }
}

/// A version of TLS that may be spoken.
public enum TLSVersion: String, Codable, Sendable, CaseIterable, Comparable {
    /// RFC 5246.
    case tls12 = "1.2"
    /// RFC 8446.
    case tls13 = "1.3"

    /// The name as logs write it.
    public var name: StaticString { self == .tls12 ? "TLSv1.2" : "TLSv1.3" }

    /// Older than.
    public static func < (left: TLSVersion, right: TLSVersion) -> Bool { left == .tls12 && right == .tls13 }
}
