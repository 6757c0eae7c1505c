internal import FilterAPI

/// One route, ready for use on one worker.
final class Route {
    /// Where requests go.
    enum Action {
        case cluster(ClusterID)
        case split(Split)
        case redirect(Redirect)
        case respond(Router.RespondSettings)
    }

    let name: FactName?
    let action: Action
    let rewrite: Rewrite?
    let requestEdits: HeaderEdits?
    let responseEdits: HeaderEdits?
    /// With the route's times; the hash and the upgrade are a request's own.
    let attachment: Attachment
    /// Whether the upstream is told how much time is left.
    let sendsDeadline: Bool
    let upgrades: [String]
    let allowsConnect: Bool
    let hash: HashRule?
    let filters: RouteSettingsTable?
    /// For answers to CONNECT where it is not allowed.
    let allowedMethods: String

    init(
        _ settings: Router.RouteSettingsEntry, defaults: Router.Settings, on worker: inout WorkerContext
    ) throws(ConfigurationFault) {
        name = settings.name.map { FactName($0) }
        rewrite = try Rewrite(settings.rewrite, matched: settings.match)
        requestEdits = HeaderEdits(settings.requestHeaders)
        responseEdits = HeaderEdits(settings.responseHeaders)
        let timeout = settings.timeout ?? defaults.timeout
        var attachment = Attachment()
        attachment.timeout = timeout == .zero ? nil : timeout
        attachment.idleTimeout = settings.idleTimeout ?? defaults.idleTimeout
        self.attachment = attachment
        sendsDeadline = settings.sendDeadline ?? defaults.sendDeadline
        upgrades = settings.upgrades ?? defaults.upgrades
        allowsConnect = settings.connect
        hash = settings.hash.flatMap { HashRule($0) }
        filters = try worker.routeSettings(settings.filters)
        let methods = settings.match.methods.filter { $0 != "CONNECT" }
        allowedMethods =
            methods.isEmpty ? "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH" : methods.joined(separator: ", ")
        if let redirect = settings.redirect {
            action = .redirect(Redirect(redirect, matched: settings.match))
        } else if let respond = settings.respond {
            action = .respond(respond)
        } else if !settings.split.isEmpty {
            action = .split(Split(settings.split, on: worker))
        } else if let to = settings.to {
            action = .cluster(worker.cluster(to))
        } else {
            throw ConfigurationFault("the route leads nowhere")
        }
    }

    /// Whether an upgrade that a request asks for is one of those that may pass.
    func allowsUpgrade(_ head: borrowing RequestHead) -> Bool {
        let index = head.headers.index(of: .upgrade)
        guard index >= 0 else { return false }
        for name in upgrades {
            // SAFETY: the string outlives the span.
            if ASCII.equalIgnoringCase(head.headers.value(at: index), unsafe name.utf8Span.span.bytes) { return true }
        }
        return false
    }
}
