/// Collects what is wrong with one config file.
///
/// Used on one thread: the one that reads the file.
package final class Diagnostics {
    /// The file's name as the operator wrote it.
    package let file: String
    /// The file's text, for the snippets; set by ``Document``.
    package internal(set) var source: Source?
    /// How many errors were reported, duplicates included.
    package private(set) var errorCount = 0

    private var stored: [Diagnostic] = []
    private var secrets: [(text: String, reference: String)] = []
    /// A broken generator may write a file with a mistake in each of its million lines.
    private static let storedAtMost = 2_000

    /// An empty collection for that file.
    package init(file: String) { self.file = file }

    /// Whether the config must be refused.
    package var hasErrors: Bool { errorCount > 0 }

    /// Whether further findings are only counted.
    var isFull: Bool { stored.count >= Diagnostics.storedAtMost }

    /// Adds one.
    package func add(_ diagnostic: Diagnostic) {
        if diagnostic.severity == .error { errorCount += 1 }
        guard !isFull else { return }
        var diagnostic = diagnostic
        diagnostic.message = redacted(diagnostic.message)
        diagnostic.hint = diagnostic.hint.map(redacted)
        stored.append(diagnostic)
    }

    /// Adds an error: the config is refused.
    package func error(
        _ code: DiagnosticCode, _ message: String, at place: Place?, hint: String? = nil, accepted: [String] = [],
        related: [Diagnostic.Related] = []
    ) {
        add(
            Diagnostic(
                severity: .error, code: code, message: message, place: place, hint: hint, accepted: accepted,
                related: related))
    }

    /// Adds a warning: the config is used.
    package func warning(
        _ code: DiagnosticCode, _ message: String, at place: Place?, hint: String? = nil,
        related: [Diagnostic.Related] = []
    ) {
        add(Diagnostic(severity: .warning, code: code, message: message, place: place, hint: hint, related: related))
    }

    /// All, without duplicates: errors first, the surest first, then by position.
    package var sorted: [Diagnostic] {
        var seen: Set<String> = []
        let unique = stored.filter { seen.insert(Diagnostics.identity($0)).inserted }
        return unique.enumerated()
            .sorted { Diagnostics.order($0.element, $0.offset) < Diagnostics.order($1.element, $1.offset) }
            .map(\.element)
    }

    private static func order(_ item: Diagnostic, _ offset: Int) -> (Int, Int, Int, Int, Int) {
        let range = item.place?.range
        return (item.severity == .error ? 0 : 1, item.code.doubt, range?.line ?? 0, range?.column ?? 0, offset)
    }

    /// The same mistake may be met on several ways, through aliases.
    private static func identity(_ item: Diagnostic) -> String {
        let range = item.place?.range
        return "\(item.code.rawValue) \(range?.line ?? 0):\(range?.column ?? 0) \(item.message)"
    }

    /// From now on shows `reference` wherever a message would show `text`.
    func hide(_ text: String, behind reference: String) {
        // Shorter ones would be found inside innocent words; they are hidden where they are decoded.
        guard text.utf8.count >= 4 else { return }
        secrets.append((text, reference))
    }

    private func redacted(_ text: String) -> String {
        secrets.reduce(text) { redact($0, hiding: $1.text, behind: $1.reference) }
    }
}
