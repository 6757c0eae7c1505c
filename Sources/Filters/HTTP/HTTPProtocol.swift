/// Which versions of HTTP are spoken on a connection.
public enum HTTPProtocol: String, Codable, Sendable, CaseIterable {
    /// HTTP/2 where TLS agrees on it (ALPN), with clients also where the first bytes are its preface; else HTTP/1.
    case auto
    /// HTTP/1 alone.
    case http1
    /// HTTP/2 alone, without asking.
    case http2
}
