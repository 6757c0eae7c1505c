/// The head of a response: status and fields, as filters see and change it.
///
/// Like in ``RequestHead``, fields that belong to one connection only are not here.
public struct ResponseHead: ~Copyable {
    /// The fields.
    public var headers: Headers
    /// The status.
    public var status: Status
    /// The version of HTTP that the upstream spoke.
    public var version: HTTPVersion
    /// How the body's end is known.
    public var bodyLength: BodyLength

    /// An empty head with status 200.
    public init() {
        headers = Headers()
        status = 200
        version = .http11
        bodyLength = .none
    }

    /// Takes over the content of another head; its memory is kept.
    public mutating func assign(from other: borrowing ResponseHead) {
        headers.copy(from: other.headers)
        status = other.status
        version = other.version
        bodyLength = other.bodyLength
    }

    /// Makes the head empty again; memory is kept.
    package mutating func reset() {
        headers.reset()
        status = 200
        version = .http11
        bodyLength = .none
    }
}
