import FilterAPI

/// Makes the headers that upstreams get.
struct HeaderWriter {
    let version: Int
    let checksum: Bool

    /// The header for a client's connection; without a client, as in health checks, one that says so.
    func header(for client: ConnectionFacts?) -> [UInt8] {
        let header = client.flatMap { Self.header($0) } ?? .local
        return version == 1 ? V1.write(header) : V2.write(header, checksum: checksum)
    }

    private static func header(_ client: ConnectionFacts) -> ProxyHeader? {
        guard let source = place(client.remoteAddress), let destination = place(client.localAddress) else { return nil }
        return .proxied(source: source, destination: destination)
    }

    /// From `192.0.2.1:80` or `[2001:db8::1]:80`; nil for a Unix socket.
    static func place(_ text: String) -> ProxyHeader.Place? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        // A zone is this machine's own, and has no place in a header.
        if let zone = host.firstIndex(of: "%") { host = host[..<zone] }
        return IPAddress(String(host)).map { .init(address: $0, port: port) }
    }
}
