/// What is known of a connection: in a listener's chain of the client's, in a cluster's chain of the one to the
/// endpoint. The same for all its streams.
public final class ConnectionFacts {
    /// The peer's address and port, as the socket says.
    public package(set) var remoteAddress = ""
    /// The peer's address without the port.
    public package(set) var remoteIP = ""
    /// The address and port that the client connected to; empty in a cluster's chain.
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

    package init() {}

    /// Whether TLS ended here.
    public var isTLS: Bool { tls != nil }
}
