/// What becomes of a message's fields where the coding of its body changes; one for each filter on a worker.
public struct CodingFields: ~Copyable {
    /// Digests of the bytes of a message, with its coding (RFC 9530, RFC 3230, RFC 2616).
    private let digests = ["content-digest", "repr-digest", "digest", "content-md5"].compactMap { HeaderName($0) }
    private var scratch: [UInt8] = []

    /// Names of fields are looked up once.
    public init() {}

    /// The body will be compressed.
    public mutating func compress(_ headers: inout Headers, _ coding: ContentCoding) {
        // SAFETY: a literal's bytes stay where they are for ever.
        let name = unsafe UnsafeRawBufferPointer(start: coding.name.utf8Start, count: coding.name.utf8CodeUnitCount)
        headers.set(.contentEncoding, unsafe RawSpan(_unsafeBytes: name))
        forgetBytes(&headers)
    }

    /// The body will be decompressed.
    public mutating func decompress(_ headers: inout Headers) {
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
    public func removeDigests(_ headers: inout Headers) {
        for name in digests { headers.remove(name) }
    }

    /// Says that the answer depends on what codings a client accepts (RFC 9110 section 12.5.5).
    public func addVary(_ headers: inout Headers) {
        if headers.hasToken(.vary, "accept-encoding") || headers.hasToken(.vary, "*") { return }
        unsafe headers.appendToList(.vary, "Accept-Encoding".utf8Span.span.bytes)
    }

    /// Whether a message has an entity tag that promises the same bytes (RFC 9110 section 8.8.3).
    public static func hasStrongTag(_ headers: borrowing Headers) -> Bool {
        headers.withValue(.eTag) { $0.byteCount > 0 && $0.byte(at: 0) == UInt8(ascii: "\"") } ?? false
    }

    /// Makes a strong tag weak: the content is the same, the bytes are not. What is no tag is taken out.
    public mutating func weakenTag(_ headers: inout Headers) {
        guard Self.hasStrongTag(headers) else {
            let isWeak = headers.withValue(.eTag) { $0.byteCount > 1 && $0.byte(at: 1) == UInt8(ascii: "/") } ?? true
            if !isWeak { headers.remove(.eTag) }
            return
        }
        writeWeakTag(headers)
        headers.set(.eTag, unsafe scratch.span.bytes)
    }

    /// Makes the tag of a 304 weak where that is how the client knows it: it got it here, with a changed body.
    public mutating func weakenTag(_ headers: inout Headers, asKnownBy request: borrowing Headers) {
        guard Self.hasStrongTag(headers) else { return }
        writeWeakTag(headers)
        var index = request.index(of: .ifNoneMatch)
        while index >= 0 {
            if request.value(at: index).contains(unsafe scratch.span.bytes) {
                headers.set(.eTag, unsafe scratch.span.bytes)
                return
            }
            index = request.index(of: .ifNoneMatch, from: index + 1)
        }
    }

    private mutating func writeWeakTag(_ headers: borrowing Headers) {
        scratch.removeAll(keepingCapacity: true)
        scratch.append(UInt8(ascii: "W"))
        scratch.append(UInt8(ascii: "/"))
        let index = headers.index(of: .eTag)
        if index >= 0 { unsafe headers.value(at: index).withUnsafeBytes { unsafe scratch.append(contentsOf: $0) } }
    }
}
