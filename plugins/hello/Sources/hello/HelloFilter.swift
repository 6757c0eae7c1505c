public import FilterAPI

/// Sets one field of each response.
public final class HelloFilter: HTTPFilter {
    /// What the config file sets: `hello: { header: x-hello, value: "good day" }`.
    public struct Settings: FilterSettings {
        /// The field's name.
        public var header = "x-hello"
        /// The field's value.
        public var value = "hello from a plugin"

        public init() {}
    }

    public static let manifest = Manifest(id: "hello", summary: "Sets one field of each response.", status: .trial)

    /// Nothing but the heads of responses comes here, so that all the rest costs nothing.
    public static var interest: Interest { [.responseHead] }

    private let name: HeaderName
    private let value: String

    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        guard let name = HeaderName(settings.header) else {
            throw ConfigurationFault("is not the name of a header field", key: "header")
        }
        self.name = name
        value = settings.value
    }

    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout Void, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        head.headers.set(name, value)
        return .leave
    }
}
