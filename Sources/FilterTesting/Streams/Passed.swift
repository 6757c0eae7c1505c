public import FilterAPI

/// What has gone on in one direction, past the filter: to its neighbour below for requests, above for responses.
public struct Passed: Sendable {
    /// Whether a head went by, and whether it was the last event.
    public internal(set) var hasHead = false
    /// The fields of the head, as they went by.
    public internal(set) var fields: [RecordedField] = []
    /// The status of a response.
    public internal(set) var status = 0
    /// Statuses of the answers before the answer.
    public internal(set) var interims: [Int] = []
    /// The bytes of the body.
    public internal(set) var body: [UInt8] = []
    /// Fields behind the body.
    public internal(set) var trailers: [RecordedField] = []
    /// Whether the end of the message went by.
    public internal(set) var isComplete = false
    /// How many events have gone by: heads, pieces of bodies and trailers.
    public internal(set) var events = 0

    mutating func note(_ event: FakeEvent) {
        events += 1
        switch event {
        case .head: hasHead = true
        case .body(let bytes, _): body += bytes
        case .trailers: break
        }
        isComplete = event.isLast
    }

    /// The body as text.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The values of a field, by its name in any case.
    public func values(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }
}

/// An answer that a filter gave itself.
public struct RecordedReply: Sendable, Equatable {
    /// The status.
    public var status: Int
    /// The text.
    public var body: String
    /// Fields that the filter set.
    public var fields: [RecordedField]

    /// An answer to compare with.
    public init(status: Int, body: String, fields: [RecordedField] = []) {
        self.status = status
        self.body = body
        self.fields = fields
    }
}

/// What a terminal attached.
public struct RecordedAttachment: Sendable {
    /// The cluster; ``FakeWorker/name(of:)`` tells its name.
    public var cluster: ClusterID
    /// How it is to be used.
    public var attachment: Attachment
}

/// A request that a filter sent anew.
public struct RecordedRestart: Sendable {
    /// The head.
    public var request: RecordedRequest
    /// Whether no body follows.
    public var last: Bool
}
