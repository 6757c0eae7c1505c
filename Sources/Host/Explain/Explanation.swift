internal import Config
internal import FilterAPI

/// What `sluice explain` knows of one code: a reason, a response flag, or the code of a message about the config.
struct Explanation {
    /// What kind of code it is.
    enum Kind: String {
        case reason
        case flag
        case message
    }

    let kind: Kind
    /// The code, and other names of it.
    let code: String
    var alias: String?
    /// What happened, in whole sentences.
    let meaning: String
    /// Whose doing it was.
    var origin: String?
    /// What the client gets, and what the log says.
    var outcome: String?
    /// Where it comes from: the filter's name.
    var source: String?
    /// What to look at.
    var advice: String?
    /// Codes that come with it.
    var related: [String] = []

    /// All names.
    var names: [String] { [code] + (alias.map { [$0] } ?? []) }
}

/// All explanations there are.
struct ExplanationBook {
    let entries: [Explanation]

    /// - Parameter types: the filters whose reasons are told too.
    init(_ types: [any Filter.Type]) {
        var reasons = HostReasons.all.map { (source: nil as String?, reason: $0) }
        for type in types { reasons += type.manifest.reasons.map { (type.manifest.id, $0) } }
        let descriptions = reasons.map(\.reason)
        entries =
            reasons.sorted { $0.reason.reason < $1.reason.reason }.map { Self.explain($0.reason, of: $0.source) }
            + ResponseFlags.all.map { FlagExplanations.explain($0, descriptions) }
            + DiagnosticCode.allCases.map(Self.explain)
    }

    /// The entry of a code; case does not matter.
    func find(_ code: String) -> Explanation? {
        let wanted = code.lowercased()
        // A reason as counters have it.
        let reason = wanted.hasPrefix("fault.") ? String(wanted.dropFirst("fault.".count)) : wanted
        return entries.first { $0.names.contains { $0.lowercased() == wanted } }
            ?? entries.first { $0.names.contains { $0.lowercased() == reason } }
    }

    /// The code that was probably meant.
    func nearest(_ code: String) -> String? {
        let names = entries.flatMap(\.names)
        return Host.nearest(code, names) ?? Host.nearest(code.uppercased(), names)
            ?? Host.nearest(code.lowercased(), names)
    }

    private static func explain(_ reason: ReasonDescription, of source: String?) -> Explanation {
        var entry = Explanation(kind: .reason, code: reason.reason, meaning: reason.meaning)
        let origins = reason.origin.map { [$0] } ?? unique(reason.kinds.map { Fault($0, "").origin })
        if !origins.isEmpty { entry.origin = origins.map(\.words).joined(separator: ", or ") }
        entry.outcome = reason.outcome ?? (reason.kinds.isEmpty ? nil : Outcomes.text(reason.kinds))
        entry.source = source
        entry.advice = reason.advice.isEmpty ? nil : reason.advice
        entry.related = reason.outcome == nil ? Outcomes.flags(reason.kinds) : []
        return entry
    }

    private static func explain(_ code: DiagnosticCode) -> Explanation {
        var entry = Explanation(kind: .message, code: code.rawValue, meaning: code.summary)
        entry.outcome = code.isWarning ? "a warning: the config is used" : "the config is refused, a running one stays"
        entry.advice = code.advice
        return entry
    }

    static func unique<T: Hashable>(_ values: [T]) -> [T] {
        var seen: Set<T> = []
        return values.filter { seen.insert($0).inserted }
    }
}

extension Fault.Origin {
    fileprivate var words: String {
        switch self {
        case .client: "the client, or the network on the way to it"
        case .upstream: "the upstream, or the network on the way to it"
        case .sluice: "Sluice: its limits, its config, or a filter"
        }
    }
}
