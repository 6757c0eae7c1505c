internal import Config

/// Writes what was found in a plugin's file, for people and for programs.
struct InspectionText {
    private let inspection: PluginInspection

    init(_ inspection: PluginInspection) { self.inspection = inspection }

    // MARK: For people

    var text: String {
        // Names come out of the file, and could tell a terminal what to do.
        whole.split(separator: "\n").map { Printable.text(String($0)) + "\n" }.joined()
    }

    private var whole: String {
        var text = "\(inspection.path)\n"
        if let note = inspection.notes.first {
            text += "  filter API  \(note.version), sources \(note.digest)\n"
            text += "  compiler    Swift \(note.compilerText), clang \(note.toolchain)\n"
        } else {
            text += "  filter API  not known: the file does not say what it was built with\n"
        }
        text += "  filters" + (inspection.filters.isEmpty ? "     none that could be found\n" : "\n")
        for filter in inspection.filters {
            text += "    \(filter.type)  \(filter.role)\(filter.isAsync ? ", asynchronous" : "")\n"
            text += Self.fields("settings", filter.settings) + Self.fields("of routes", filter.routeSettings)
        }
        text += "  needs\n"
        for library in inspection.needed { text += "    \(library.name)\(library.isThere ? "" : "  NOT FOUND")\n" }
        text += """
              None of its code was run. Not known without that: what its filters are called in a config, defaults, keys that
              are not called like their properties, and whether its types are laid out like this Sluice's.

            """
        guard let refusal = inspection.refusal else { return text + "This Sluice would load it.\n" }
        text += "This Sluice would not load it: \(refusal.message)\n"
        return text + (refusal.hint.map { "  = help: \($0)\n" } ?? "")
    }

    private static func fields(_ title: String, _ fields: [SwiftReflection.Field]) -> String {
        fields.enumerated().map { index, field in
            let head = index == 0 ? title : ""
            return "      \(head)\(String(repeating: " ", count: 11 - head.count))"
                + "\(KeyNames.fileName(of: field.name)): \(field.type)\n"
        }.joined()
    }

    // MARK: For programs

    var json: String {
        var members = ["\"path\": \(JSONText.quoted(inspection.path))"]
        if let note = inspection.notes.first {
            members.append("\"api\": \(note.version)")
            members.append("\"sources\": \(JSONText.quoted(note.digest))")
            members.append("\"compiler\": \(JSONText.quoted(note.compilerText))")
            members.append("\"toolchain\": \(JSONText.quoted(note.toolchain))")
        }
        members.append("\"filters\": [" + inspection.filters.map(Self.json).joined(separator: ", ") + "]")
        let needed = inspection.needed.map { "{\"name\": \(JSONText.quoted($0.name)), \"found\": \($0.isThere)}" }
        members.append("\"needs\": [" + needed.joined(separator: ", ") + "]")
        members.append("\"loads\": \(inspection.refusal == nil)")
        if let refusal = inspection.refusal {
            members.append("\"reason\": \(JSONText.quoted(refusal.message))")
            if let hint = refusal.hint { members.append("\"hint\": \(JSONText.quoted(hint))") }
        }
        return "{" + members.joined(separator: ", ") + "}\n"
    }

    private static func json(_ filter: PluginInspection.FoundFilter) -> String {
        "{\"type\": \(JSONText.quoted(filter.type)), \"role\": \(JSONText.quoted(filter.role)), "
            + "\"async\": \(filter.isAsync), \"settings\": \(json(filter.settings)), "
            + "\"route_settings\": \(json(filter.routeSettings))}"
    }

    private static func json(_ fields: [SwiftReflection.Field]) -> String {
        let members = fields.map { "\(JSONText.quoted(KeyNames.fileName(of: $0.name))): \(JSONText.quoted($0.type))" }
        return "{" + members.joined(separator: ", ") + "}"
    }
}
