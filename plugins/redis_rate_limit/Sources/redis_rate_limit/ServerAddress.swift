/// Where a Redis is.
enum ServerAddress: Equatable, Sendable {
    case network(host: String, port: Int32)
    case unix(path: String)

    /// From `host:port`, `[address]:port` or `unix:/path`; nil for anything else.
    init?(_ text: String) {
        if text.hasPrefix("unix:") {
            // What a socket's address has room for, with the byte that ends it.
            guard text.hasPrefix("unix:/"), text.utf8.count - 5 < 108 else { return nil }
            self = .unix(path: String(text.dropFirst(5)))
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = Int32(text[text.index(after: colon)...]),
            (1...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self = .network(host: String(host), port: port)
    }
}

/// A Redis, and how to log in there.
struct RedisServer: Equatable, Sendable {
    var name: String
    var address: ServerAddress
    var user: String?
    var password: String?
    var database: Int
    /// How long one answer may take.
    var timeout: Duration
}
