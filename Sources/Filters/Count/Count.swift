public import FilterAPI

/// Counts requests, and responses by their class.
public final class Count: HTTPFilter {
    /// The heads only.
    public static let interest: Interest = .heads

    /// Name and summary.
    public static let manifest = Manifest(
        id: "count", summary: "Counts requests, and responses by the class of their status.",
        stats: [
            .counter("requests", "Requests that have passed."),
            .counter("responses_1xx", "Responses of this class that have passed."),
            .counter("responses_2xx", "Responses of this class that have passed."),
            .counter("responses_3xx", "Responses of this class that have passed."),
            .counter("responses_4xx", "Responses of this class that have passed."),
            .counter("responses_5xx", "Responses of this class that have passed."),
        ])

    private let requests: Counter
    private let classes: InlineArray<5, Counter>

    /// Asks for the counters.
    public init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        requests = worker.counter("requests")
        classes = [
            worker.counter("responses_1xx"), worker.counter("responses_2xx"), worker.counter("responses_3xx"),
            worker.counter("responses_4xx"), worker.counter("responses_5xx"),
        ]
    }

    /// Counts a request.
    public func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout Void, _ stream: inout Stream
    ) throws(Fault) -> Step {
        requests.add()
        return .next
    }

    /// Counts a response, unless its route says otherwise.
    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout Void, _ stream: inout Stream
    ) throws(Fault) -> Step {
        if let route = stream.routeSettings(of: self), !route.responses { return .next }
        classes[min(max(head.status.code / 100, 1), 5) - 1].add()
        return .next
    }
}

extension Count {
    /// What a route sets for its own requests.
    public struct RouteSettings: FilterSettings {
        /// Whether responses are counted.
        public var responses = true

        /// The defaults.
        public init() {}
    }
}
