internal import Config
internal import FilterAPI
internal import Filters

/// `sluice explain`: what a code in a log or in a message means.
struct ExplainCommand: Equatable {
    enum Format: String, CaseIterable {
        case text
        case json
        case markdown
    }

    /// The code; nil for all of them.
    var code: String?
    var format = Format.text
    /// A config file whose plugins have reasons of their own.
    var file: String?

    /// Runs the command.
    ///
    /// - Returns: the exit code.
    func run() -> Int32 {
        guard let types = types() else { return 1 }
        let book = ExplanationBook(types)
        guard let code else {
            Terminal.output(ExplanationText(format).list(book.entries))
            return 0
        }
        guard let entry = book.find(code) else {
            let near = book.nearest(code).map { "; did you mean `\($0)`?" } ?? "; `sluice explain` lists all of them"
            Terminal.error("sluice: there is no code `\(code)`\(near)\n")
            return 1
        }
        Terminal.output(ExplanationText(format).whole(entry))
        return 0
    }

    /// The filters that come with Sluice, and those of the config's plugins.
    private func types() -> [any Filter.Type]? {
        guard let file else { return BuiltinFilters.types }
        let diagnostics = Diagnostics(file: file)
        guard let document = Document.read(file, into: diagnostics) else {
            Terminal.error(Terminal.lines(diagnostics.rendered(as: .text)))
            return nil
        }
        var registry = FilterRegistry(BuiltinFilters.types)
        if let node = document.root["plugins"] {
            let plugins = (node.elements ?? [node]).compactMap {
                SettingsDecoder().decode(PluginSettings.self, from: $0, into: diagnostics)?.value
            }
            PluginLoader(diagnostics: diagnostics, base: file).load(plugins, node, into: &registry)
        }
        guard !diagnostics.hasErrors else {
            Terminal.error(Terminal.lines(diagnostics.rendered(as: .text)))
            return nil
        }
        return registry.types
    }
}
