public import FilterAPI

/// A request that a server codec has read.
public struct RecordedRequest: Sendable {
    /// The method as written.
    public var method: String
    /// Path and query.
    public var target: String
    /// Host and port.
    public var authority: String
    /// The fields, in order.
    public var fields: [RecordedField]
    /// The bytes of the body.
    public var body: [UInt8] = []
    /// Fields behind the body.
    public var trailers: [RecordedField] = []
    /// Whether its end was read.
    public var isComplete: Bool

    /// From a head.
    public init(_ head: borrowing RequestHead, isComplete: Bool) {
        method = ASCII.string(head.methodText)
        target = ASCII.string(head.target)
        authority = ASCII.string(head.authority)
        fields = RecordedField.all(head.headers)
        self.isComplete = isComplete
    }

    /// The values of a field, by its name in lower case.
    public func values(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name }.map(\.value)
    }
}

/// A field that was read. Bytes that are no ASCII are shown as ``printable(_:)`` shows them.
public struct RecordedField: Sendable, Equatable {
    /// The name as written.
    public var name: String
    /// The value.
    public var value: String

    /// A field to compare with.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    /// All fields, in order.
    public static func all(_ headers: borrowing Headers) -> [RecordedField] {
        var fields: [RecordedField] = []
        for index in 0..<headers.count {
            fields.append(
                RecordedField(
                    name: printable(headers.name(at: index).copied),
                    value: printable(headers.value(at: index).copied)))
        }
        return fields
    }
}
