internal import Config

/// Writes explanations for people, for programs, and for the manual.
struct ExplanationText {
    private let format: ExplainCommand.Format

    init(_ format: ExplainCommand.Format) { self.format = format }

    /// All that is known of one code.
    func whole(_ entry: Explanation) -> String {
        switch format {
        case .text: Self.page(entry)
        case .json: Self.json(entry) + "\n"
        case .markdown: Self.section("", [entry])
        }
    }

    /// All codes.
    func list(_ entries: [Explanation]) -> String {
        switch format {
        case .text: Self.lines(entries)
        case .json: "[\n" + entries.map(Self.json).joined(separator: ",\n") + "\n]\n"
        case .markdown: Self.manual(entries)
        }
    }

    // MARK: For people

    private static func page(_ entry: Explanation) -> String {
        var text = entry.names.joined(separator: ", ") + "\n\n" + wrapped(entry.meaning, indent: 0) + "\n"
        func add(_ title: String, _ value: String?) {
            guard let value, !value.isEmpty else { return }
            text += "\n" + padded("\(title):", 14) + wrapped(value, indent: 14)
        }
        add("whose doing", entry.origin)
        add("outcome", entry.outcome)
        if entry.kind == .reason {
            add("comes from", entry.source.map { "the filter `\($0)`" } ?? "Sluice itself")
            add("counted as", "fault.\(entry.code)")
        }
        add("look at", entry.advice)
        add(entry.kind == .flag ? "reasons" : "flags", entry.related.joined(separator: ", "))
        return text + "\n"
    }

    private static func lines(_ entries: [Explanation]) -> String {
        let width = entries.map { $0.names.joined(separator: ", ").count }.max() ?? 0
        return entries.map { padded($0.names.joined(separator: ", "), width + 2) + firstSentence($0.meaning) + "\n" }
            .joined()
    }

    private static func firstSentence(_ text: String) -> String {
        guard let end = text.range(of: ". ") else { return text }
        return String(text[..<end]) + "."
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    /// Breaks lines at 100 columns.
    private static func wrapped(_ text: String, indent: Int) -> String {
        var lines = [""]
        for word in text.split(separator: " ") {
            let last = lines[lines.count - 1]
            if last.isEmpty {
                lines[lines.count - 1] = String(word)
            } else if indent + last.count + 1 + word.count <= 100 {
                lines[lines.count - 1] += " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines.joined(separator: "\n" + String(repeating: " ", count: indent))
    }

    // MARK: For programs

    private static func json(_ entry: Explanation) -> String {
        var members = [("kind", entry.kind.rawValue), ("code", entry.code), ("meaning", entry.meaning)]
        for (name, value) in [
            ("alias", entry.alias), ("origin", entry.origin), ("outcome", entry.outcome), ("filter", entry.source),
            ("look_at", entry.advice),
        ] {
            if let value { members.append((name, value)) }
        }
        var text = members.map { "\(JSONText.quoted($0.0)):\(JSONText.quoted($0.1))" }
        text.append("\"related\":[\(entry.related.map(JSONText.quoted).joined(separator: ","))]")
        return "{" + text.joined(separator: ",") + "}"
    }

    // MARK: For the manual

    private static func manual(_ entries: [Explanation]) -> String {
        var text = """
            # Reasons, flags and message codes

            What `sluice explain` says of each. This page is made by `sluice explain --format markdown`, and a test
            fails where it is not what the program says.

            A **reason** is the exact cause of a failure: it is in access logs as `%RESPONSE_CODE_DETAILS%`, and counted
            as `fault.REASON`. A **flag** is a coarser word for it, by the names that Envoy's users know
            (`%RESPONSE_FLAGS%`). A **message code** is a cause for which a config is refused, or warned of. All of them
            keep their meaning for ever. Filters from plugins bring reasons of their own: `sluice explain CODE -c FILE`.


            """
        let reasons = entries.filter { $0.kind == .reason }
        text += "## Reasons\n\n"
        for family in ExplanationBook.unique(reasons.map { family($0.code) }) {
            text += section("### `\(family)`\n\n", reasons.filter { Self.family($0.code) == family })
        }
        text += section("## Flags\n\n", entries.filter { $0.kind == .flag })
        text += section("## Message codes\n\n", entries.filter { $0.kind == .message })
        return String(text.dropLast())
    }

    private static func family(_ code: String) -> String { String(code.prefix { $0 != "." }) }

    private static func section(_ title: String, _ entries: [Explanation]) -> String {
        guard let kind = entries.first?.kind else { return "" }
        var text = title
        switch kind {
        case .reason:
            text += "| reason | what happened | whose doing | client and log | look at |\n|---|---|---|---|---|\n"
        case .flag: text += "| flag | what happened | client | look at | reasons |\n|---|---|---|---|---|\n"
        case .message: text += "| code | cause | look at |\n|---|---|---|\n"
        }
        for entry in entries { text += row(entry) }
        return text + "\n"
    }

    private static func row(_ entry: Explanation) -> String {
        let names = entry.names.map { "`\($0)`" }.joined(separator: ", ")
        let related = entry.related.map { "`\($0)`" }.joined(separator: ", ")
        let cells: [String?]
        switch entry.kind {
        case .reason: cells = [names, entry.meaning, entry.origin, entry.outcome, entry.advice]
        case .flag: cells = [names, entry.meaning, entry.outcome, entry.advice, related]
        case .message: cells = [names, entry.meaning, entry.advice]
        }
        return "| " + cells.map { ($0 ?? "").replacing("|", with: "\\|") }.joined(separator: " | ") + " |\n"
    }
}

extension String {
    /// Where a text begins in this one.
    fileprivate func range(of text: String) -> String.Index? {
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(text) { return index }
            index = self.index(after: index)
        }
        return nil
    }

    /// All of one text in place of another.
    fileprivate func replacing(_ text: Character, with other: String) -> String {
        reduce(into: "") { $0 += $1 == text ? other : String($1) }
    }
}
