internal import FilterAPI

/// What the response flags mean.
enum FlagExplanations {
    /// By short name: what happened, whose doing it was, what the client gets where no reason says it, what to look at.
    private static let texts: [String: (meaning: String, advice: String)] = [
        "UH": ("No endpoint of the cluster may be used.", "Health checks and outlier detection."),
        "UF": ("No connection to the upstream could be made, or no TLS on it.", "The reason, which says why."),
        "UO": (
            "A limit of the cluster or of `circuit_breaker` is reached.",
            "`%REACHED_LIMIT%`, which says the limit and where it is set."
        ),
        "NR": ("No route matches the request.", "`match` of the routes."),
        "URX": ("All tries that `retry` may make were used up.", "The reason, which is that of the last try."),
        "NC": ("The cluster of the route does not exist.", "The config, and reloads at this time."),
        "DT": ("The stream or connection was open for too long.", "The time limits of the route."),
        "DC": ("The client went away before it had its answer.", "How long the answer took."),
        "UT": ("The upstream did not answer in time.", "What the upstream was busy with; `timeout` of the route."),
        "LR": (
            "Sluice itself ended the request: a filter failed, or the process ended.",
            "The reason, and the process log."
        ),
        "UR": ("The upstream reset the request.", "The upstream's log."),
        "UC": ("The upstream closed the connection before it answered, or within the answer.", "The upstream's log."),
        "DI": ("`fault` has delayed the request, on purpose.", "Who has set `fault` up."),
        "FI": ("`fault` has answered the request, on purpose.", "Who has set `fault` up."),
        "RL": ("The request was over a limit of `rate_limit`.", "Who sends so many."),
        "UAEX": ("An authorisation service said no.", "The filter that asks it."),
        "SI": ("Nothing moved for too long.", "Who was silent; the reason says which limit it was."),
        "DPE": ("The client broke the protocol.", "The reason, which says how."),
        "UPE": ("The upstream broke the protocol.", "The reason, which says how."),
        "OM": ("Sluice was over its own limits.", "Memory, and `max_connections`."),
        "DF": ("The endpoint's name could not be looked up.", "The name, and the name servers (`dns`)."),
        "DR": ("The client reset the request.", "How long the answer took."),
    ]

    static func explain(_ flag: ResponseFlags, _ reasons: [ReasonDescription]) -> Explanation {
        let short = flag.shortNames.first.map { "\($0)" } ?? ""
        let text = texts[short]
        var entry = Explanation(
            kind: .flag, code: short, alias: flag.longNames.first.map { "\($0)" }, meaning: text?.meaning ?? "")
        let kinds = Fault.Kind.allCases.filter { Outcomes.verdict($0).flags.contains(flag) }
        entry.outcome = kinds.isEmpty ? outcomes[short] : Outcomes.text(kinds)
        entry.advice = text?.advice
        entry.related = ExplanationBook.unique(
            reasons.filter { reason in
                reason.kinds.contains { Outcomes.verdict($0).flags.contains(flag) }
                    || reason.outcome?.hasSuffix("the flag \(short)") ?? false
            }.map(\.reason)
        ).sorted()
        return entry
    }

    /// Of flags that come with no fault.
    private static let outcomes = [
        "URX": "what the last try came to, with the flags of both",
        "DI": "what the upstream answers", "FI": "the `status` of `abort`", "RL": "429, or the `status` of the filter",
        "DT": "what the limit says", "UAEX": "what the filter answers", "DR": "no answer",
    ]
}
