internal import FilterAPI

/// What clients get for faults, in words: read off the one place that decides it.
enum Outcomes {
    /// The answers of several kinds: `400 with the flag DPE, or 502 with the flag UPE`.
    static func text(_ kinds: [Fault.Kind]) -> String {
        let texts = ExplanationBook.unique(kinds.map(text))
        return texts.joined(separator: ", or ")
    }

    /// The short names of the flags that kinds come with.
    static func flags(_ kinds: [Fault.Kind]) -> [String] {
        ExplanationBook.unique(kinds.flatMap { verdict($0).flags.shortNames.map { "\($0)" } })
    }

    private static func text(_ kind: Fault.Kind) -> String {
        let names = verdict(kind).flags.shortNames.map { "\($0)" }.joined(separator: ",")
        let flag = names.isEmpty ? "" : " with the flag \(names)"
        switch kind {
        case .clientGone: return "no answer, and the flag \(names)"
        case .idleTimeout: return "504\(flag), 408 while the request is read"
        default: return "\(verdict(kind).status.code)\(flag)"
        }
    }

    static func verdict(_ kind: Fault.Kind) -> Rescue.Verdict {
        Rescue.verdict(Fault(kind, ""), duringRequest: false)
    }
}
