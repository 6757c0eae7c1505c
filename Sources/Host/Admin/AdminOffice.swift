internal import Engine
internal import FilterAPI

/// Answers the questions of the admin interface, on the control thread.
final class AdminOffice {
    /// One page.
    struct Page: Sendable {
        let path: String
        /// Whether it changes something, and is asked for by POST.
        var isChange = false
        /// Whether it changes nothing without parameters, and may then be asked for by GET as well.
        var isReadBare = false
        /// Whether it ends what runs.
        var isDrastic = false
        let summary: String
        /// Parameters, as `/help` shows them.
        var parameters = ""
        let answer: @Sendable (AdminOffice, AdminQuestion) -> AdminAnswer
    }

    unowned let control: Control
    let registry: StatRegistry
    let process = ProcessFacts()
    /// What is written up of reasons, for the config of a generation.
    var book: (generation: Int, entries: ExplanationBook)?

    init(_ control: Control, _ registry: StatRegistry) {
        self.control = control
        self.registry = registry
    }

    /// All pages, in the order in which they are listed.
    static let pages: [Page] = [
        Page(path: "/", summary: "this process at a glance", parameters: "format=html|text|json") { $0.index($1) },
        Page(path: "/help", summary: "these lines") { office, _ in .text(office.help) },
        Page(path: "/ready", summary: "200 while every listener serves, 503 otherwise") { office, _ in office.ready() },
        Page(
            path: "/stats", summary: "statistics",
            parameters: "filter=RE2 usedonly type=counters|gauges|histograms format=text|json|prometheus"
        ) { $0.stats($1) },
        Page(path: "/stats/prometheus", summary: "statistics for Prometheus", parameters: "usedonly") {
            $0.prometheus($1)
        },
        Page(path: "/clusters", summary: "clusters and their endpoints", parameters: "format=json") { $0.clusters($1) },
        Page(path: "/listeners", summary: "listeners and their addresses", parameters: "format=json") {
            $0.listeners($1)
        },
        Page(
            path: "/plugins", summary: "plugins, their filters, and what they have done wrong",
            parameters: "format=json"
        ) {
            $0.plugins($1)
        },
        Page(
            path: "/config_dump", summary: "the config in use, and the one that was refused last",
            parameters: "resource=NAME"
        ) {
            $0.configDump($1)
        },
        Page(path: "/server_info", summary: "version, state, options") { office, _ in office.serverInfo() },
        Page(path: "/certs", summary: "certificates in use") { office, _ in office.certificates() },
        Page(path: "/memory", summary: "what the allocator says") { office, _ in office.memory() },
        Page(
            path: "/logging", isChange: true, isReadBare: true, summary: "shows or changes the level of the log",
            parameters: "level=LEVEL"
        ) {
            $0.logging($1)
        },
        Page(path: "/reopen_logs", isChange: true, summary: "opens log files anew") { office, _ in
            office.control.reopenLogs()
            return .text("OK\n")
        },
        Page(path: "/reload", isChange: true, summary: "reads the config file again, and says what became of it") {
            office, _ in office.reload()
        },
        Page(path: "/reset_counters", isChange: true, summary: "sets counters and histograms to 0") { office, _ in
            office.control.resetCounters()
            return .text("OK\n")
        },
        Page(
            path: "/drain_listeners", isChange: true, isDrastic: true,
            summary: "accepts no more connections; those that are open finish",
            parameters: "graceful inboundonly skip_exit"
        ) { office, question in
            office.control.drainListeners(inboundOnly: question["inboundonly"] != nil)
            return .text("OK\n")
        },
        Page(path: "/healthcheck/fail", isChange: true, summary: "makes /ready fail") { office, _ in
            office.control.isFailedOnPurpose = true
            return .text("OK\n")
        },
        Page(path: "/healthcheck/ok", isChange: true, summary: "takes that back") { office, _ in
            office.control.isFailedOnPurpose = false
            return .text("OK\n")
        },
        Page(path: "/quitquitquit", isChange: true, isDrastic: true, summary: "drains and ends, like TERM") {
            office, _ in
            let control = Handover(office.control)
            var answer = AdminAnswer.text("OK\n")
            // SAFETY: called on the control thread, where the control lives.
            answer.afterwards = { unsafe control.value.drain() }
            return answer
        },
    ]

    /// Answers one question.
    func answer(_ question: AdminQuestion) -> AdminAnswer {
        let path =
            question.path.count > 1 && question.path.hasSuffix("/") ? String(question.path.dropLast()) : question.path
        guard let page = Self.pages.first(where: { $0.path == path }) else {
            return .text("there is no page \(path); see /help\n", status: 404)
        }
        let isReading = page.isReadBare && question.parameters.isEmpty
        if page.isChange, !question.isPost, !isReading {
            return .badMethod("Method GET not allowed, POST required.", allowed: "POST")
        }
        return page.answer(self, question)
    }

    private var help: String {
        var text = "admin commands are:\n"
        for page in Self.pages {
            text += "  \(page.path)\(page.isChange ? " (POST)" : ""): \(page.summary)\n"
            if !page.parameters.isEmpty { text += "      \(page.parameters)\n" }
        }
        return text
    }
}
