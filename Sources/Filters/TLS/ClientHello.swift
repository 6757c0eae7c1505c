/// What a client's first message of TLS says about whom it wants to talk to, in clear text.
///
/// Nothing of it is proven: it is what the client says before any handshake.
public struct ClientHello: Sendable, Equatable {
    /// The host name asked for (SNI, RFC 6066 section 3), in lower case, without a dot at its end, at most 253 bytes.
    ///
    /// nil where the client names none, or what it names is no host name: an address, a space, an empty label.
    public var serverName: String?
    /// The protocols that the client offers (ALPN, RFC 7301), in its order; empty where it offers none.
    public var applicationProtocols: [String] = []

    /// From its parts.
    public init(serverName: String? = nil, applicationProtocols: [String] = []) {
        self.serverName = serverName
        self.applicationProtocols = applicationProtocols
    }
}
