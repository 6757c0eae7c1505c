/// What is known of the client's connection. The same for all its streams.
public final class ConnectionFacts {
    /// The client's address and port, as the socket says.
    public package(set) var remoteAddress = ""
    /// The client's address without the port.
    public package(set) var remoteIP = ""
    /// The address and port that the client connected to.
    public package(set) var localAddress = ""
    /// The listener's name.
    public package(set) var listener = ""
    /// The host name asked for in TLS; nil where there was none.
    public package(set) var serverName: String?
    /// Whether TLS ended here.
    public package(set) var isTLS = false
    /// A number that no other connection of this process has.
    public package(set) var id: UInt64 = 0

    package init() {}
}
