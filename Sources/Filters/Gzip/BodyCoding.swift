internal import FilterAPI

/// A content coding that the filter can undo (RFC 9110 section 8.4.1).
enum BodyCoding {
    /// `gzip`, and `x-gzip`, which is the same.
    case gzip
    /// `deflate`: the format of zlib, though some send the bare data inside of it.
    case deflate

    /// The coding of a message; nil where it has none, another one, or several.
    init?(_ headers: borrowing Headers) {
        let index = headers.index(of: .contentEncoding)
        guard index >= 0, headers.index(of: .contentEncoding, from: index + 1) < 0 else { return nil }
        let value = headers.value(at: index)
        if ASCII.equalIgnoringCase(value, "gzip") || ASCII.equalIgnoringCase(value, "x-gzip") {
            self = .gzip
        } else if ASCII.equalIgnoringCase(value, "deflate") {
            self = .deflate
        } else {
            return nil
        }
    }
}
