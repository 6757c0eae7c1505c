public import FilterAPI

/// Sends each request to a cluster, or answers it, by the first route that matches.
public final class Router: HTTPTerminal {
    /// What the router keeps of a stream: the number of its route, -1 before there is one.
    public struct State {
        var route = -1
    }

    /// Heads, and the state between them.
    public static let interest: Interest = [.requestHead, .responseHead, .lifetime]

    /// Name and summary.
    public static let manifest = Manifest(
        id: "router", summary: "Sends requests to clusters, or answers them, by host, path, method, fields and query.",
        reasons: [
            .init(
                "router.no_route", [.noRoute], "None of the routes is for this request.",
                lookAt:
                    """
                    `match` of the routes against the request: host, path, method, fields. A last route without \
                    `match` is for everything.
                    """
            ),
            .init(
                "router.empty_split", [.noCluster], "All clusters of the route's split have the weight 0.",
                lookAt: "The weights in `split`."),
            .init(
                "router.bad_rewrite", [.filterFailed], "What `rewrite` makes of the request cannot stand in one.",
                lookAt: "`rewrite` of the route, and the path that it was given."),
            .init(
                "router.connect_not_allowed", [], "CONNECT for a route that allows no tunnels.",
                lookAt: "`connect` of the route; mostly scanners that look for open proxies.", outcome: "405",
                origin: .client),
            .init(
                "router.max_forwards", [], "TRACE or OPTIONS with `Max-Forwards: 0`, which is for Sluice itself.",
                outcome: "200, or 405 for TRACE", origin: .client),
        ])

    private let table: RouteTable
    private let routes: [Route]
    private let requestEdits: HeaderEdits?
    private let responseEdits: HeaderEdits?
    private var random = FastRandom()
    private var scratch = ByteText()

    /// Indexes the routes.
    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        var entries = settings.routes
        if let to = settings.to {
            var last = RouteSettingsEntry()
            last.to = to
            entries.append(last)
        }
        do throws(RouteTable.Problem) {
            table = try RouteTable(entries.map(\.match))
        } catch {
            throw ConfigurationFault(error.message, key: "routes[\(error.route)].match")
        }
        var routes: [Route] = []
        for (index, entry) in entries.enumerated() {
            do throws(ConfigurationFault) {
                routes.append(try Route(entry, defaults: settings, on: &worker))
            } catch {
                let key = error.key.isEmpty ? "routes[\(index)]" : "routes[\(index)].filters.\(error.key)"
                throw ConfigurationFault(error.message, key: key, hint: error.hint)
            }
        }
        self.routes = routes
        requestEdits = HeaderEdits(settings.requestHeaders)
        responseEdits = HeaderEdits(settings.responseHeaders)
    }

    /// Begins without a route.
    public func open(_ stream: inout Stream) throws(Fault) -> State? { State() }

    /// Finds the route and does what it says.
    public func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        let number = table.match(head, on: stream.connection)
        guard number >= 0 else { throw Fault(.noRoute, "router.no_route") }
        let route = routes[number]
        state.route = number
        stream.facts.route = route.name
        if let filters = route.filters { stream.useRouteSettings(filters) }
        switch route.action {
        case .cluster(let cluster): try forward(&head, route, cluster, &stream)
        case .split(let split):
            guard let cluster = split.pick(random.next()) else { throw Fault(.noCluster, "router.empty_split") }
            try forward(&head, route, cluster, &stream)
        case .redirect(let redirect):
            redirect.write(head, into: &scratch)
            reply(redirect.status, "", "", head, route, &stream) { Self.point(&$0, to: scratch) }
        case .respond(let respond):
            reply(Status(respond.status), respond.body, respond.contentType, head, route, &stream) { _ in }
        }
        return .next
    }

    /// Changes the response's fields.
    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        guard state.route >= 0 else { return .next }
        let route = routes[state.route]
        guard route.responseEdits != nil || responseEdits != nil else { return .next }
        let facts = stream.facts
        let connection = stream.connection
        let now = stream.now
        stream.withRequest { request in edit(&head, request, route, facts, connection, now) }
        return .next
    }

    // MARK: Towards a cluster

    private func forward(
        _ head: inout RequestHead, _ route: Route, _ cluster: ClusterID, _ stream: inout Stream
    ) throws(Fault) {
        if head.method == .connect, !route.allowsConnect { return refuseConnect(route, &stream) }
        if MaxForwards.isSpent(&head) { return answerHere(head.method, route, &stream) }
        var attachment = route.attachment
        if let hash = route.hash { attachment.hash = hash.hash(head, stream.connection) }
        if head.wantsUpgrade {
            attachment.allowsUpgrade = route.allowsUpgrade(head)
            if !attachment.allowsUpgrade {
                head.wantsUpgrade = false
                head.headers.remove(.upgrade)
            }
        } else if head.method == .connect {
            attachment.allowsUpgrade = true
        }
        // A tunnel lasts as long as something moves in it.
        if !attachment.allowsUpgrade {
            Deadlines.read(head.headers, stream)
            if route.sendsDeadline {
                Deadlines.write(&head.headers, timeout: attachment.timeoutNanoseconds, stream)
            }
        }
        if route.requestEdits != nil || requestEdits != nil { edit(&head, route, &stream) }
        if let rewrite = route.rewrite { try rewrite.apply(to: &head, scratch: &scratch) }
        stream.attach(cluster, attachment)
    }

    private func refuseConnect(_ route: Route, _ stream: inout Stream) {
        stream.facts.reason = "router.connect_not_allowed"
        stream.reply(405, body: "CONNECT is not allowed here\n") { $0.headers.set(.allow, route.allowedMethods) }
    }

    /// The request was to go no further than here (RFC 9110 section 7.6.2).
    private func answerHere(_ method: Method, _ route: Route, _ stream: inout Stream) {
        stream.facts.reason = "router.max_forwards"
        // TRACE would show the client what proxies before us have added.
        stream.reply(method == .trace ? 405 : 200) { $0.headers.set(.allow, route.allowedMethods) }
    }

    private func edit(_ head: inout RequestHead, _ route: Route, _ stream: inout Stream) {
        let facts = stream.facts
        let connection = stream.connection
        route.requestEdits?.apply(to: &head, facts: facts, connection: connection, now: stream.now, scratch: &scratch)
        requestEdits?.apply(to: &head, facts: facts, connection: connection, now: stream.now, scratch: &scratch)
    }

    // MARK: Answers

    private func reply(
        _ status: Status, _ body: String, _ contentType: String, _ request: borrowing RequestHead, _ route: Route,
        _ stream: inout Stream, _ prepare: (inout ResponseHead) -> Void
    ) {
        let facts = stream.facts
        let connection = stream.connection
        let now = stream.now
        stream.reply(status, body: body) { head in
            prepare(&head)
            if !body.isEmpty { head.headers.set(.contentType, contentType) }
            edit(&head, request, route, facts, connection, now)
        }
    }

    private static func point(_ head: inout ResponseHead, to location: borrowing ByteText) {
        head.headers.set(.location, location.bytes)
    }

    private func edit(
        _ head: inout ResponseHead, _ request: borrowing RequestHead, _ route: Route, _ facts: StreamFacts,
        _ connection: ConnectionFacts, _ now: Instant
    ) {
        route.responseEdits?.apply(
            to: &head, request: request, facts: facts, connection: connection, now: now, scratch: &scratch)
        responseEdits?.apply(
            to: &head, request: request, facts: facts, connection: connection, now: now, scratch: &scratch)
    }
}
