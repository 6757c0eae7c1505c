internal import FilterAPI

/// A limit in the form in which requests meet it, with everything that is said where it is reached.
final class LimitRule {
    private enum Subject {
        case listener
        case route
        case clientAddress
        case header(HeaderName, countsMissing: Bool)
    }

    let rate: BucketRate
    /// How many tokens a full bucket has.
    let burst: Int
    let table: BucketTable
    let limit: ReachedLimit
    /// For the client.
    let body: String
    private let subject: Subject
    /// The beginning of all keys: what tells this rule's buckets from those of others.
    private let prefix: Hasher

    /// - Parameters:
    ///   - settings: have passed their check.
    ///   - route: the route that has the rule; nil where the filter has it.
    ///   - place: where it is set.
    init(_ settings: RateLimit.RuleSettings, of route: RouteOfRule?, _ tables: BucketTables, place: String) {
        let requests = settings.requests ?? 1
        let span = settings.span.wholeNanoseconds
        burst = settings.burst ?? requests
        rate = BucketRate(requests: requests, per: span, burst: burst)
        var whose: String
        switch settings.by?.word ?? (route == nil ? "listener" : "route") {
        case _ where settings.by?.header != nil:
            let name = settings.by?.header.flatMap { HeaderName($0) } ?? .host
            subject = .header(name, countsMissing: settings.missing == .limit)
            whose = "each \(name.text)"
        case "client_address":
            subject = .clientAddress
            whose = "each client"
        case "route":
            subject = .route
            whose = "this route"
        default:
            subject = .listener
            whose = "this listener"
        }
        switch subject {
        case .listener, .route: table = tables.named
        case .clientAddress, .header:
            table = tables.keyed
            if route != nil { whose += " on this route" }
        }
        let burstText = burst == requests ? "" : ", \(burst) at once,"
        let requestText = requests == 1 ? "1 request" : "\(requests) requests"
        let text = "the limit of \(requestText) in \(TimeText.of(span))\(burstText) for \(whose) is reached"
        limit = ReachedLimit(text: text, place: place)
        body = text + "\n"
        var prefix = Hasher()
        prefix.combine(tables.seed)
        prefix.combine(rate)
        prefix.combine(settings.by)
        prefix.combine(route)
        self.prefix = prefix
    }

    /// Whether the bucket depends on the route alone.
    var isByRoute: Bool { if case .route = subject { true } else { false } }

    /// The key of a request's bucket.
    ///
    /// - Parameter route: the request's, where it is known.
    /// - Returns: nil where the rule is not about this request.
    func key(_ head: borrowing RequestHead, _ connection: ConnectionFacts, route: FactName?) -> UInt64? {
        var hasher = prefix
        hasher.combine(connection.listener)
        switch subject {
        case .listener: break
        case .route: hasher.combine(route?.text)
        case .clientAddress: hasher.combine(Self.client(head, connection))
        case .header(let name, let countsMissing):
            let index = head.headers.index(of: name)
            guard index >= 0 || countsMissing else { return nil }
            hasher.combine(index >= 0)
            // SAFETY: the bytes are read during the call only.
            if index >= 0 { unsafe head.headers.value(at: index).withUnsafeBytes { unsafe hasher.combine(bytes: $0) } }
        }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    private static func client(_ head: borrowing RequestHead, _ connection: ConnectionFacts) -> ClientNetwork {
        if head.clientAddress.byteCount > 0 { return ClientNetwork(head.clientAddress) }
        // SAFETY: the string outlives the span.
        return ClientNetwork(unsafe connection.remoteIP.utf8Span.span.bytes)
    }
}

/// The route that has a rule; those without a name are one.
struct RouteOfRule: Hashable {
    var name: String?
}
