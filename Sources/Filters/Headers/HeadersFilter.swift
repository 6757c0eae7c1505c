public import FilterAPI

/// Changes the header fields of all requests and responses that pass, answers of the filters below included.
public final class HeadersFilter: HTTPFilter {
    /// What a chain sets: `headers: { response: { set: { x-served-by: sluice } } }`.
    public struct Settings: FilterSettings {
        /// Changes to requests.
        public var request = HeaderEditSettings()
        /// Changes to responses.
        public var response = HeaderEditSettings()

        /// No changes.
        public init() {}

        /// Reports a filter that would do nothing.
        public func validate(_ check: inout SettingsCheck) {
            if HeaderEdits(request) == nil, HeaderEdits(response) == nil {
                check.warning(
                    "response", "nothing is changed", hint: "for example `response: { set: { x-served-by: sluice } }`")
            }
        }
    }

    /// Name and summary.
    public static let manifest = Manifest(id: "headers", summary: "Changes header fields of requests and responses.")
    /// The heads only.
    public static let interest: Interest = .heads

    /// The heads of the direction in which there is something to change.
    public var activeInterest: Interest {
        var wanted: Interest = []
        if request != nil { wanted.insert(.requestHead) }
        if response != nil { wanted.insert(.responseHead) }
        return wanted
    }

    private let request: HeaderEdits?
    private let response: HeaderEdits?
    private var scratch = ByteText()

    /// Reads the changes.
    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        request = HeaderEdits(settings.request)
        response = HeaderEdits(settings.response)
    }

    /// Changes a request.
    public func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout Void, _ stream: inout Stream
    ) throws(Fault) -> Step {
        request?.apply(
            to: &head, facts: stream.facts, connection: stream.connection, now: stream.now, scratch: &scratch)
        return .leave
    }

    /// Changes a response.
    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout Void, _ stream: inout Stream
    ) throws(Fault) -> Step {
        let facts = stream.facts
        let connection = stream.connection
        let now = stream.now
        stream.withRequest { request in
            response?.apply(
                to: &head, request: request, facts: facts, connection: connection, now: now, scratch: &scratch)
        }
        return .leave
    }
}
