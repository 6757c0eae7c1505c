import FilterAPI

extension DecodingRun {
    /// Reads a settings struct from a mapping or from its short form.
    ///
    /// - Returns: nil if there is neither; a struct with stand-ins if something inside was refused.
    func settings<Settings: SettingsStruct>(_ type: Settings.Type, from node: Node, slot: KeySlot?) -> Settings? {
        switch node.kind {
        case .mapping(let mapping):
            let template = slot?.template ?? decoder.template(of: type)
            let value = members(type, of: mapping, in: node, template: template)
            validateDefaults(of: template, missingIn: mapping, at: Anchor(node: node, place: nil, prefix: ""))
            validate(value, at: Anchor(node: node, place: nil, prefix: ""))
            return value
        case .scalar:
            if let value = shorthand(type, from: node) { return value }
            refuseType("a mapping", node, hint: DecodingRun.mappingHint(node), accepted: keys(type, slot))
            return nil
        default:
            refuseType("a mapping", node, accepted: keys(type, slot))
            return nil
        }
    }

    /// Reads a settings struct's short form; reports nothing if there is none.
    func shorthand<Settings: SettingsStruct>(_ type: Settings.Type, from node: Node) -> Settings? {
        guard let text = node.text, let value = Settings(shorthand: text) else { return nil }
        validate(value, at: Anchor(node: node, place: nil, prefix: ""))
        return value
    }

    private func keys<Settings: SettingsStruct>(_ type: Settings.Type, _ slot: KeySlot?) -> [String] {
        (slot?.template ?? decoder.template(of: type))?.keys.map(\.fileName) ?? []
    }

    /// `key:value` is text, where `key: value` was meant.
    private static func mappingHint(_ node: Node) -> String? {
        guard let scalar = node.scalar, scalar.style == .plain, !scalar.isSecret,
            let colon = scalar.text.firstIndex(of: ":"), !scalar.text[..<colon].contains(" "),
            colon != scalar.text.startIndex
        else { return nil }
        return "a space is missing after the `:`"
    }

    private func members<Settings: SettingsStruct>(
        _ type: Settings.Type, of mapping: Mapping, in node: Node, template: Template?
    ) -> Settings {
        if let template { refuseUnknownKeys(of: mapping, template) }
        do {
            return try Settings(from: NodeDecoder(run: self, node: node, template: template))
        } catch is Recorded {
            return Settings()
        } catch {
            refuse(.refusedValue, "these settings cannot be used", at: node, hint: "\(error)")
            return Settings()
        }
    }

    func refuseUnknownKeys(of mapping: Mapping, _ template: Template) {
        for entry in mapping.entries where !template.accepts(entry.key) {
            refuseUnknownKey(entry, accepted: template.keys.map(\.fileName))
        }
    }

    /// Refuses a key, and keeps quiet about the absence of the key that was probably meant.
    func refuseUnknownKey(_ entry: Mapping.Entry, accepted: [String]) {
        let path = entry.value.trail
        fail(at: path)
        if let nearest = diagnostics.refuseUnknownKey(entry, accepted: accepted) {
            fail(at: path.container.key(nearest))
        }
    }
}

extension Diagnostics {
    /// Refuses a key of a mapping.
    ///
    /// - Parameter accepted: the keys that may stand there.
    /// - Returns: the one that was probably meant.
    @discardableResult
    package func refuseUnknownKey(_ entry: Mapping.Entry, accepted: [String]) -> String? {
        let nearest = isFull ? nil : Nearest.match(for: entry.key, among: accepted)
        error(
            .unknownKey, "unknown key `\(entry.key)`", at: Place(range: entry.keyRange, path: entry.value.trail),
            hint: nearest.map { "did you mean `\($0)`?" }, accepted: accepted)
        return nearest
    }
}
