extension Diagnostics {
    /// How findings are written out.
    package enum Format: String, Sendable, CaseIterable {
        /// For people: a snippet of the file with a caret.
        case text
        /// For programs: an array of objects.
        case json
        /// For GitHub's runners: a workflow command a line.
        case github
    }

    /// The most findings that the text form shows.
    package static let shownAtMost = 20

    /// Writes the findings out.
    ///
    /// Empty if there are none (`[]` in JSON); otherwise ends with a line end.
    package func rendered(as format: Format) -> String {
        switch format {
        case .text: return text
        case .json: return json
        case .github: return github
        }
    }

    /// The findings for people, with a line at the end that counts them.
    private var text: String {
        let all = sorted
        guard !all.isEmpty else { return "" }
        let shown = all.prefix(Diagnostics.shownAtMost)
        var lines = shown.flatMap { TextRenderer(file: file, source: source, diagnostic: $0).lines + [""] }
        lines.append(Diagnostics.total(all, shown: shown.count, file: file))
        return lines.joined(separator: "\n") + "\n"
    }

    private static func total(_ all: [Diagnostic], shown: Int, file: String) -> String {
        let errors = all.count { $0.severity == .error }
        let warnings = all.count - errors
        var parts: [String] = []
        if errors > 0 { parts.append(errors == 1 ? "1 error" : "\(errors) errors") }
        if warnings > 0 { parts.append(warnings == 1 ? "1 warning" : "\(warnings) warnings") }
        let rest = shown < all.count ? "; the first \(shown) are shown" : ""
        return "\(Printable.text(file)): \(parts.joined(separator: ", "))\(rest)"
    }
}
