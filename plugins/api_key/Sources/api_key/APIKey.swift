public import FilterAPI

/// Lets in who shows a key.
public final class APIKey: HTTPFilter {
    /// Name, statistics, reasons.
    public static let manifest = Manifest(
        id: "api_key", summary: "Lets in who shows a key.", status: .trial,
        stats: [
            .counter("accepted", "Requests that came in, by `name`."),
            .counter("refused", "Requests that were turned away, by `reason`."),
        ], reasons: Refusal.descriptions)

    /// Heads, and where requests go: only then is it known what the route says.
    public static var interest: Interest { [.requestHead, .clusterAttached, .responseHead, .lifetime] }

    /// What is known of one request.
    public struct State {
        var key: Key?
        var refusal: Refusal?
        var isDecided = false
    }

    private let settings: Settings
    private let header: HeaderName
    private let nameHeader: HeaderName?
    private let challenge: String
    private let ring: KeyRing
    private var table: KeyTable
    private var number: Int
    private let accepted: StatFamily<Counter>
    private var acceptedByName: [String: Counter] = [:]
    private let refused: StatFamily<Counter>
    private var refusedCounters: [Counter] = []

    /// Reads the keys, or finds those that other workers have.
    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        guard let header = HeaderName(settings.header) else {
            throw ConfigurationFault("is not the name of a header field", key: "header")
        }
        self.settings = settings
        self.header = header
        nameHeader = HeaderName(settings.nameHeader)
        challenge = "\(settings.bearer ? "Bearer" : "ApiKey") realm=\"\(settings.realm)\""
        let path = settings.file.map { worker.path($0) }
        let fixed = settings.keys.map { (name: $0.key, key: $0.value) }.sorted { $0.name < $1.name }
        let log = worker.filterLog
        // One for all workers and generations with the same keys. The name of shared state is never shown.
        ring = try worker.watched("\(path ?? "") \(fixed)") { () throws(ConfigurationFault) in
            try KeyRing(path: path, fixed: fixed, log: log)
        }
        number = ring.number
        table = ring.table
        accepted = worker.counters("accepted", labels: ["name"])
        refused = worker.counters("refused", labels: ["reason"])
        refusedCounters = Refusal.allCases.map { refused[$0.name] }
    }

    /// Begins undecided.
    public func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> State? { State() }

    /// Finds the key, and takes it out.
    public func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        if number != ring.number {
            number = ring.number
            table = ring.table
        }
        if let nameHeader { head.headers.remove(nameHeader) }
        switch look(head) {
        case .none: state.refusal = .missing
        case .some(nil): state.refusal = .unknown
        case .some(let key?):
            state.key = key
            if let nameHeader { head.headers.set(nameHeader, key.name) }
        }
        if !settings.forwardKey { strip(&head) }
        return .next
    }

    /// What a request shows: nothing, no key of ours, or a key.
    private func look(_ head: borrowing RequestHead) -> Key?? {
        let first = head.headers.index(of: header)
        if first >= 0 {
            // Of two nobody knows which one the upstream would look at.
            if head.headers.index(of: header, from: first + 1) >= 0 { return .some(nil) }
            return .some(table.find(head.headers.value(at: first)))
        }
        if settings.bearer, let found = head.headers.withValue(.authorization, { Bearer.token($0, in: table) }),
            let key = found
        {
            return .some(key)
        }
        guard let query = settings.query, head.query.byteCount > 0 else { return .none }
        let target = ASCII.string(head.target)
        guard let range = QueryParameter.find(query, in: target) else { return .none }
        let value = String(target[range].dropFirst(query.utf8.count + 1))
        // SAFETY: the string outlives the span.
        return .some(table.find(unsafe value.utf8Span.span.bytes))
    }

    private func strip(_ head: inout RequestHead) {
        head.headers.remove(header)
        if settings.bearer, head.headers.withValue(.authorization, { Bearer.isBearer($0) }) ?? false {
            head.headers.remove(.authorization)
        }
        guard let query = settings.query, head.query.byteCount > 0 else { return }
        let target = ASCII.string(head.target)
        if QueryParameter.find(query, in: target) != nil {
            head.setTarget(QueryParameter.without(query, target))
        }
    }

    /// Decides, now that the route is known.
    public func clusterAttached(_ state: inout State, _ stream: inout FilterAPI.Stream) throws(Fault) -> Step {
        decide(&state, &stream)
        return .next
    }

    /// Decides where the request never got to a cluster: what a route answers by itself needs a key as well.
    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        decide(&state, &stream)
        return .leave
    }

    private func decide(_ state: inout State, _ stream: inout FilterAPI.Stream) {
        guard !state.isDecided else { return }
        state.isDecided = true
        let route = stream.routeSettings(of: self)
        guard route?.enabled ?? true else { return }
        guard let key = state.key else { return refuse(state.refusal ?? .missing, &stream) }
        if let names = route?.names ?? settings.names, !names.contains(key.name) {
            return refuse(.notAllowed, &stream)
        }
        counter(of: key).add()
    }

    private func counter(of key: Key) -> Counter {
        if let known = acceptedByName[key.name] { return known }
        let made = accepted[key.name]
        acceptedByName[key.name] = made
        return made
    }

    private func refuse(_ refusal: Refusal, _ stream: inout FilterAPI.Stream) {
        refusedCounters[refusal.rawValue].add()
        stream.facts.reason = refusal.reason
        stream.reply(refusal.status, body: refusal.body) { head in
            guard refusal != .notAllowed else { return }
            let hint = settings.bearer && refusal == .unknown ? ", error=\"invalid_token\"" : ""
            head.headers.set(.wwwAuthenticate, challenge + hint)
        }
    }
}
