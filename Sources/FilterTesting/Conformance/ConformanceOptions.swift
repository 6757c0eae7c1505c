public import FilterAPI

/// What the conformance suite must know of a filter.
public struct ConformanceOptions: Sendable {
    /// What a filter changes on purpose.
    public struct Changes: OptionSet, Sendable {
        /// One bit for each thing.
        public let rawValue: UInt8
        /// From bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The bytes of requests.
        public static let requestBody = Changes(rawValue: 1)
        /// The bytes of responses.
        public static let responseBody = Changes(rawValue: 2)
    }

    /// An answer to a request of the filter's own.
    public struct FetchReply: Sendable {
        /// The status.
        public var status: Status
        /// The fields.
        public var fields: [RecordedField]
        /// The body.
        public var body: String

        /// An answer; 200 without anything if not said.
        public init(_ status: Status = 200, fields: [RecordedField] = [], body: String = "") {
            self.status = status
            self.fields = fields
            self.body = body
        }
    }

    /// The filter's settings, as they stand in a config file.
    public var config: String
    /// Fields of each request, such as a key without which the filter does nothing.
    public var requestFields: [RecordedField] = []
    /// Fields of each response that has a body.
    public var responseFields: [RecordedField] = []
    /// What the filter changes on purpose: bytes are then not compared with what came.
    public var changes: Changes = []
    /// What the body of a response that the filter has changed stands for, to compare that with what came; nil where the
    /// bytes mean nothing.
    public var readResponse: (@Sendable ([UInt8]) -> [UInt8]?)?
    /// What the body of a request that the filter has changed stands for.
    public var readRequest: (@Sendable ([UInt8]) -> [UInt8]?)?
    /// Checks that cannot hold for this filter. Say why where you set it.
    public var skips: Set<ConformanceCheck> = []
    /// Statistics that are described and only asked for with other settings than these.
    public var otherStats: Set<String> = []
    /// For byte filters: the kinds of chains that the filter can stand in.
    public var sides: [Side] = [.client]
    /// For byte filters: what the peer says first and the filter keeps to itself.
    public var opening: [UInt8] = []
    /// For codecs: what peers send, each on a connection of its own; empty for messages of HTTP/1.
    public var input: [[UInt8]] = []
    /// What the filter's own requests to clusters are answered with; the suite also lets them fail, and leaves them without
    /// an answer.
    public var fetchAnswer = FetchReply()
    /// For codecs: fields whose values are others each time, in lower case.
    public var variableFields: Set<String> = ["x-request-id", "date"]
    /// Called while a filter holds, for filters that wait for something which the suite does not know.
    ///
    /// Filters that wait for time to go by are woken by themselves.
    public var letGo: (@Sendable () -> Void)?
    /// Makes files and clusters that the filter needs, or tells it of the client.
    public var prepare: (@Sendable (ConnectionFacts) -> Void)?

    /// For a filter with these settings.
    public init(config: String = "{}", _ edit: (inout ConformanceOptions) -> Void = { _ in }) {
        self.config = config
        edit(&self)
    }
}
