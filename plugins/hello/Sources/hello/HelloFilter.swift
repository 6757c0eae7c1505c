public import FilterAPI

/// Sets one field of each response.
public final class HelloFilter: HTTPFilter {
    /// What the config file sets: `hello: { header: x-hello, value: "good day" }`.
    public struct Settings: FilterSettings {
        /// The field's name.
        public var header = "x-hello"
        /// The field's value.
        public var value = "hello from a plugin"

        /// What an empty mapping means: the defaults above.
        public init() {}
    }

    /// What a route may set for itself: `filters: { hello: { value: "good night" } }`.
    public struct RouteSettings: FilterSettings {
        /// The field's value; missing for the one of the chain.
        public var value: String?

        /// Nothing of its own.
        public init() {}
    }

    /// The name in config files, and what `sluice` knows of the filter before one is made.
    public static let manifest = Manifest(
        id: "hello", summary: "Sets one field of each response.", status: .trial,
        stats: [.counter("greetings", "Responses that have got the field.")])

    /// Nothing but the heads of responses comes here, so that all the rest costs nothing.
    public static var interest: Interest { [.responseHead] }

    private let name: HeaderName
    private let value: String
    private let greetings: Counter

    /// Made once for each worker. Names and statistics are looked up here, not while requests run.
    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        guard let name = HeaderName(settings.header) else {
            throw ConfigurationFault("is not the name of a header field", key: "header")
        }
        self.name = name
        value = settings.value
        greetings = worker.counter("greetings")
    }

    /// Sets the field, and leaves: the rest of the response is not shown to this filter.
    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout Void, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        head.headers.set(name, stream.routeSettings(of: self)?.value ?? value)
        greetings.add()
        return .leave
    }
}
