/// A content coding that filters know to negotiate (RFC 9110 section 8.4.1).
public enum ContentCoding: Sendable, CaseIterable {
    /// `gzip`, and `x-gzip`, which is the same.
    case gzip
    /// `deflate`: the format of zlib.
    case deflate
    /// `br` (RFC 7932).
    case brotli

    /// As fields write it.
    public var name: StaticString {
        switch self {
        case .gzip: "gzip"
        case .deflate: "deflate"
        case .brotli: "br"
        }
    }
}
