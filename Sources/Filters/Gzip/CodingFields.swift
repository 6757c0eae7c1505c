internal import FilterAPI

/// What becomes of a message's fields where the coding of its body changes.
struct CodingFields: ~Copyable {
    /// Digests of the bytes of a message, with its coding (RFC 9530, RFC 3230, RFC 2616).
    private let digests = ["content-digest", "repr-digest", "digest", "content-md5"].compactMap { HeaderName($0) }
    private var scratch = ByteText(capacity: 128)

    /// The body will be compressed.
    mutating func compress(_ headers: inout Headers) {
        headers.set(.contentEncoding, "gzip")
        forgetBytes(&headers)
    }

    /// The body will be decompressed.
    mutating func decompress(_ headers: inout Headers) {
        headers.remove(.contentEncoding)
        forgetBytes(&headers)
    }

    /// Takes out what is true of the bytes as they were only.
    private mutating func forgetBytes(_ headers: inout Headers) {
        headers.remove(.contentLength)
        headers.remove(.acceptRanges)
        removeDigests(&headers)
        weakenTag(&headers)
    }

    /// Takes out digests of bytes that are not sent.
    func removeDigests(_ headers: inout Headers) {
        for name in digests { headers.remove(name) }
    }

    /// Says that the answer depends on what codings a client accepts (RFC 9110 section 12.5.5).
    func addVary(_ headers: inout Headers) {
        if headers.hasToken(.vary, "accept-encoding") || headers.hasToken(.vary, "*") { return }
        unsafe headers.appendToList(.vary, "Accept-Encoding".utf8Span.span.bytes)
    }

    /// Whether a message has an entity tag that promises the same bytes (RFC 9110 section 8.8.3).
    static func hasStrongTag(_ headers: borrowing Headers) -> Bool {
        headers.withValue(.eTag) { $0.byteCount > 0 && $0.byte(at: 0) == UInt8(ascii: "\"") } ?? false
    }

    /// Makes a strong tag weak: the content is the same, the bytes are not. What is no tag is taken out.
    mutating func weakenTag(_ headers: inout Headers) {
        guard Self.hasStrongTag(headers) else {
            let isWeak = headers.withValue(.eTag) { $0.byteCount > 1 && $0.byte(at: 1) == UInt8(ascii: "/") } ?? true
            if !isWeak { headers.remove(.eTag) }
            return
        }
        writeWeakTag(headers)
        headers.set(.eTag, scratch.bytes)
    }

    /// Makes the tag of a 304 weak where that is how the client knows it: it got it here, with a changed body.
    mutating func weakenTag(_ headers: inout Headers, asKnownBy request: borrowing Headers) {
        guard Self.hasStrongTag(headers) else { return }
        writeWeakTag(headers)
        var index = request.index(of: .ifNoneMatch)
        while index >= 0 {
            if request.value(at: index).contains(scratch.bytes) {
                headers.set(.eTag, scratch.bytes)
                return
            }
            index = request.index(of: .ifNoneMatch, from: index + 1)
        }
    }

    private mutating func writeWeakTag(_ headers: borrowing Headers) {
        scratch.removeAll()
        scratch.append("W/")
        let index = headers.index(of: .eTag)
        if index >= 0 { scratch.append(headers.value(at: index)) }
    }
}
