internal import FilterAPI

/// The admin interface: the end of a chain that answers what operators and their tools ask.
///
/// Holds each request until the control thread has the answer.
final class Admin: HTTPTerminal {
    static let interest: Interest = [.requestHead]

    static let manifest = Manifest(
        id: "admin", summary: "Answers operators and their tools: statistics, clusters, the config, drains.",
        posture: .neither,
        reasons: [
            .init(
                "admin.closed", [.filterFailed], "The admin interface was asked while the process ended.",
                lookAt: "Nothing: ask again once it runs.")
        ])

    /// Who may ask for what.
    struct Settings: FilterSettings {
        /// Shown by whoever wants to change something; nil where only a Unix socket will do.
        var token: String?
        /// Names by which the interface may be called.
        var hosts: [String] = []

        init() {}

        func validate(_ check: inout SettingsCheck) { AdminSettings.validate(token: token, &check) }
    }

    private let watchman: AdminGuard
    private let desk: AdminDesk?

    init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        watchman = AdminGuard(hosts: settings.hosts, token: settings.token)
        desk = unsafe (worker.services as? Worker)?.desk
    }

    func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout Void, _ stream: inout Stream
    ) throws(Fault) -> Step {
        let isPost = head.method == .post
        guard isPost || head.method == .get || head.method == .head else {
            Self.reply(
                .badMethod("GET and POST are what the admin interface knows", allowed: "GET, HEAD, POST"), &stream)
            return .next
        }
        if let refusal = watchman.refusal(of: head, on: stream.connection, isChange: isPost) {
            Self.reply(refusal, &stream)
            return .next
        }
        guard let desk else { throw Fault(.filterFailed, "admin.closed") }
        let local = stream.connection.localAddress
        let question = AdminQuestion(
            path: ASCII.string(head.path), query: ASCII.string(head.query), isPost: isPost,
            prefersText: !head.headers.hasToken(.accept, "text/html"), host: ASCII.string(head.authority),
            socket: local.hasPrefix("unix:") ? String(local.dropFirst(5)) : nil)
        desk.ask(question, stream.pause())
        return .hold
    }

    /// Answers at once, with what the control thread need not be asked for.
    private static func reply(_ answer: AdminAnswer, _ stream: inout Stream) {
        guard case .text(let body) = answer.body else { return }
        stream.reply(Status(answer.status), body: body) { reply in
            for field in answer.fields + AdminGuard.fields { reply.headers.set(field.name, field.value) }
        }
    }
}
