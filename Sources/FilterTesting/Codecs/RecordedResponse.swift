public import FilterAPI

/// A response that a client codec has read.
public struct RecordedResponse: Sendable {
    /// The status.
    public var status: Int
    /// The fields, in order.
    public var fields: [RecordedField]
    /// The bytes of the body.
    public var body: [UInt8] = []
    /// Fields behind the body.
    public var trailers: [RecordedField] = []
    /// Whether its end was read.
    public var isComplete: Bool

    /// From a head.
    public init(_ head: borrowing ResponseHead, isComplete: Bool) {
        status = head.status.code
        fields = RecordedField.all(head.headers)
        self.isComplete = isComplete
    }
}
