/// What became of a filter's own request, as ``EventFilter/fetched(_:_:_:_:)`` is shown it.
public struct FetchAnswer: ~Copyable {
    /// Why there is no answer; nil where there is one, whatever its status.
    public package(set) var fault: Fault?
    /// Status and fields; empty where there is a fault.
    public var head = ResponseHead()
    /// The body, whole, as one chunk.
    public var body = ByteChunk()

    package init() {}

    /// The answer's status; 0 where there is none.
    public var status: Int { fault == nil ? head.status.code : 0 }

    /// The body as text; what is not UTF-8 is replaced.
    public var text: String {
        unsafe body.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
