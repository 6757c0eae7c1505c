/// What is known of a connection: in a listener's chain of the client's, in a cluster's chain of the one to the
/// endpoint. The same for all its streams.
public final class ConnectionFacts {
    /// The peer's address and port, as the socket says.
    public package(set) var remoteAddress = ""
    /// The peer's address without the port.
    public package(set) var remoteIP = ""
    /// The address and port that the client connected to; in a cluster's chain those that the endpoint sees, empty until
    /// the connection is made.
    public package(set) var localAddress = ""
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
}
