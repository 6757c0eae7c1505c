/// What a PROXY protocol header says.
enum ProxyHeader: Equatable, Sendable {
    /// The sender speaks for itself, or does not know: the addresses of the socket hold. `LOCAL` and `UNSPEC` of
    /// version 2, `UNKNOWN` of version 1, and families that have no address here, such as Unix sockets.
    case local
    /// A client's connection.
    case proxied(source: Place, destination: Place)

    /// An address with a port.
    struct Place: Equatable, Sendable {
        let address: IPAddress
        let port: UInt16
    }
}
