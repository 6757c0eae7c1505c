package import FilterAPI

/// Reads settings from nodes.
///
/// Learns each type's keys and defaults once, so keep one for a whole file. Used on one thread.
package final class SettingsDecoder {
    private var templates: [ObjectIdentifier: Template?] = [:]

    /// A decoder that knows no type yet.
    package init() {}

    /// Reads settings of a type, checks them, and reports all that is wrong.
    ///
    /// - Parameters:
    ///   - type: the type; may come from an opened `any FilterSettings.Type`.
    ///   - node: the mapping or short form; nil or null means the defaults.
    ///   - fallback: where to point if there is no node.
    ///   - side: which kind of chain the settings' filter stands in.
    ///   - diagnostics: takes what is wrong.
    /// - Returns: nil only if an error was reported.
    package func decode<Value: SettingsStruct>(
        _ type: Value.Type, from node: Node?, at fallback: Place? = nil, side: Side? = nil,
        into diagnostics: Diagnostics
    ) -> Decoded<Value>? {
        let errorsBefore = diagnostics.errorCount
        let run = DecodingRun(decoder: self, diagnostics: diagnostics, side: side)
        let value: Value?
        if let node, !node.isNull {
            value = (node.scalar?.isBroken ?? false) ? nil : run.settings(type, from: node, slot: nil)
        } else {
            let anchor = Anchor(node: node, place: fallback, prefix: "")
            let defaults = Value()
            run.validateDefaults(of: template(of: type), missingIn: nil, at: anchor)
            run.validate(defaults, at: anchor)
            value = defaults
        }
        guard run.isClean, diagnostics.errorCount == errorsBefore else { return nil }
        return value.map { Decoded(value: $0, clusterUses: run.clusterUses) }
    }

    /// The keys and defaults of a type; nil if it does not encode itself as keys and values.
    func template<Value: SettingsStruct>(of type: Value.Type) -> Template? {
        let id = ObjectIdentifier(type)
        if let known = templates[id] { return known }
        let template = Template(learning: Value())
        templates[id] = .some(template)
        return template
    }
}
