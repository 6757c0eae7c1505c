public import FilterAPI

/// Lets in who shows the key.
public final class KeyCheckFilter: HTTPFilter {
    /// What a chain sets: `key_check: { key: "${API_KEY}" }`.
    public struct Settings: FilterSettings {
        /// The key.
        public var key = ""

        /// None yet, which is refused.
        public init() {}

        /// A short key might be guessed.
        public func validate(_ check: inout SettingsCheck) {
            if key.utf8.count < 16 { check.error("key", "is shorter than 16 characters") }
        }
    }

    /// What a route sets: `filters: { key_check: { enabled: false } }`.
    public struct RouteSettings: FilterSettings {
        /// Whether a key is needed here.
        public var enabled = true

        /// It is.
        public init() {}
    }

    /// What is known of a request.
    public struct State {
        var isGood = false
        var isDecided = false
    }

    /// Name and statistics.
    public static let manifest = Manifest(
        id: "key_check", summary: "Lets in who shows the key.",
        stats: [.counter("refused", "Requests without the key.")])

    /// Heads, and where the route is known.
    public static var interest: Interest { [.requestHead, .clusterAttached, .responseHead, .lifetime] }

    private let field: HeaderName
    private let key: [UInt8]
    private let refused: Counter

    /// Makes what is the same for all requests.
    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        guard let field = HeaderName("x-api-key") else { throw ConfigurationFault("is not the name of a field") }
        self.field = field
        key = Array(settings.key.utf8)
        refused = worker.counter("refused")
    }

    /// Begins undecided.
    public func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> State? { State() }

    /// Looks at the key, and takes it out.
    public func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        state.isGood = head.headers.withValue(field) { isKey($0) } ?? false
        head.headers.remove(field)
        return .next
    }

    /// In a time that does not tell how much of it is right.
    private func isKey(_ text: RawSpan) -> Bool {
        guard text.byteCount == key.count else { return false }
        var difference: UInt8 = 0
        for index in key.indices { difference |= text.byte(at: index) ^ key[index] }
        return difference == 0
    }

    /// Decides where a cluster is going to be asked.
    public func clusterAttached(_ state: inout State, _ stream: inout FilterAPI.Stream) throws(Fault) -> Step {
        decide(&state, &stream)
        return .next
    }

    /// Decides where a route answers by itself.
    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        decide(&state, &stream)
        return .leave
    }

    private func decide(_ state: inout State, _ stream: inout FilterAPI.Stream) {
        guard !state.isDecided else { return }
        state.isDecided = true
        if state.isGood || stream.routeSettings(of: self)?.enabled == false { return }
        refused.add()
        stream.reply(401, body: "a key is needed\n")
    }
}
