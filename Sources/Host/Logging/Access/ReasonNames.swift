internal import Config
internal import FilterAPI

/// The reasons that are known, to tell a slip of the pen in a condition: a log would stay empty and nobody know why.
///
/// What a filter from a plugin says that describes no reasons may be any, so that is a warning.
struct ReasonNames {
    private let known: [String]

    init(_ registry: FilterRegistry) {
        known = HostReasons.all.map(\.reason) + registry.types.flatMap { $0.manifest.reasons.map(\.reason) }
    }

    /// Looks at the conditions of a log.
    func check(_ when: Node?, _ diagnostics: Diagnostics) {
        guard let when, when.mapping != nil else { return }
        for node in Self.elements(when["reasons"]) {
            guard let text = node.text, !text.isEmpty, !known.contains(where: { Self.begins($0, with: text) }) else {
                continue
            }
            let families = ExplanationBook.unique(known.map { String($0.prefix { $0 != "." }) })
            diagnostics.warning(
                .doubtfulValue, "no known reason is, or begins with, `\(text)`", at: node.place,
                hint: nearest(text, known + families).map { "did you mean `\($0)`?" }
                    ?? "`sluice explain` lists all of them")
        }
        for key in ["any", "not"] { for node in Self.elements(when[key]) { check(node, diagnostics) } }
    }

    private static func elements(_ node: Node?) -> [Node] { node.map { $0.elements ?? [$0] } ?? [] }

    private static func begins(_ reason: String, with text: String) -> Bool {
        guard reason.hasPrefix(text) else { return false }
        return text.hasSuffix(".") || reason.utf8.count == text.utf8.count || reason.dropFirst(text.count).first == "."
    }
}
