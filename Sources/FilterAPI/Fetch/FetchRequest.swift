/// A request of a filter's own to a cluster: to ask whether somebody may come in, to look something up, to tell a thing.
///
/// It goes through the cluster's pool, balancing, limits and TLS like a client's, and through no other filter.
public struct FetchRequest: ~Copyable {
    /// Method, target and fields.
    ///
    /// `Host` is the cluster's name unless the filter sets it, and `Content-Length` is seen to.
    public var head: RequestHead
    /// The body, whole.
    public var body = ByteChunk()
    /// How long the whole answer may take; where the stream's own deadline is earlier, that holds.
    public var timeout = Duration.seconds(5)
    /// The most bytes that the answer's body may have; with more the answer is a fault, `fetch.body_too_large`.
    ///
    /// Not for answers that are read piece by piece.
    public var bodyLimit = ByteSize.kibibytes(64)

    /// A request without a body.
    ///
    /// - Parameters:
    ///   - method: such as `GET`; what is no token counts as `GET`.
    ///   - target: path and query; what could not stand in a request line counts as `/`.
    ///   - host: host, and port where it has one; nil for the cluster's name.
    public init(_ method: String = "GET", _ target: String = "/", host: String? = nil) {
        head = RequestHead()
        if !head.setMethod(method) { head.setMethod("GET") }
        if !head.setTarget(target) { head.setTarget("/") }
        if let host { head.setAuthority(host) }
    }
}

/// Which of a filter's own requests an answer belongs to.
public struct FetchID: Sendable, Hashable {
    package let number: UInt64

    package init(number: UInt64) { self.number = number }
}
