/// What is known of a connection: in a listener's chain of the client's, in a cluster's chain of the one to the
/// endpoint. The same for all its streams.
public final class ConnectionFacts {
    /// The peer's address and port: as the socket says, or as a filter has learnt from a proxy in front, by
    /// ``setClient(ip:port:connectedTo:)``.
    public package(set) var remoteAddress = ""
    /// The peer's address without the port.
    public package(set) var remoteIP = ""
    /// The address and port that the client connected to; in a cluster's chain those that the endpoint sees, empty until
    /// the connection is made.
    public package(set) var localAddress = ""
    /// What the socket says, where a filter has said something else; nil where it has not.
    private var direct: Direct?
    /// In a cluster's chain the connection of the client whose bytes this one carries, and no other client's; nil where
    /// it may carry requests of many, and where Sluice itself is the client, as for health checks.
    public package(set) var client: ConnectionFacts?
    /// The listener's name; in a cluster's chain the cluster's.
    public package(set) var listener = ""
    /// In a cluster's chain the host by which the config names the endpoint, without the port: a name, or an IP
    /// address; empty for a Unix socket.
    public package(set) var endpointHost = ""
    /// The host name asked for in TLS, in lower case; nil where there was none.
    ///
    /// For the filter that ends TLS or looks into it to set.
    public var serverName: String?
    /// What is known of the connection's TLS; nil where it has none, or its handshake is not over.
    ///
    /// For the filter that ends TLS to set.
    public var tls: TLSFacts?
    /// A number that no other connection of this process has.
    public package(set) var id: UInt64 = 0

    /// When it began: the client has come, or the connection to the endpoint was asked for.
    public package(set) var start = Instant.none
    /// When the connection to the endpoint was made, before any handshake; none in a listener's chain.
    public package(set) var connectedAt = Instant.none
    /// When the last handshake of its filters was over; none where there was none.
    public package(set) var handshakeEnd = Instant.none
    /// The name of its chain, where a listener has several; empty where it has none.
    public package(set) var chainName = ""

    package init() {}

    /// Whether TLS ended here.
    public var isTLS: Bool { tls != nil }

    /// The other end of the socket, with the port: the client, or the last proxy in front.
    public var directRemoteAddress: String { direct?.remoteAddress ?? remoteAddress }
    /// The other end of the socket, without the port.
    public var directRemoteIP: String { direct?.remoteIP ?? remoteIP }
    /// This end of the socket, with the port.
    public var directLocalAddress: String { direct?.localAddress ?? localAddress }

    /// Says who the client is and where it wanted to go, as a proxy in front has told; for byte filters in a listener's
    /// chain, before ``Stream/endHandshake()``.
    ///
    /// From then on logs, limits by address and forwarding fields mean this client. Whether the peer may be believed is
    /// for the filter to know.
    ///
    /// - Parameters:
    ///   - ip: an IPv4 or IPv6 address in its usual form, without brackets.
    ///   - port: the client's port.
    ///   - local: the address and port that the client connected to; nil leaves them as the socket says.
    public func setClient(ip: String, port: UInt16, connectedTo local: (ip: String, port: UInt16)? = nil) {
        if direct == nil {
            direct = Direct(remoteAddress: remoteAddress, remoteIP: remoteIP, localAddress: localAddress)
        }
        remoteIP = ip
        remoteAddress = Self.text(ip, port)
        if let local { localAddress = Self.text(local.ip, local.port) }
    }

    private static func text(_ ip: String, _ port: UInt16) -> String {
        ip.utf8.contains(UInt8(ascii: ":")) ? "[\(ip)]:\(port)" : "\(ip):\(port)"
    }

    private struct Direct {
        let remoteAddress: String
        let remoteIP: String
        let localAddress: String
    }
}
