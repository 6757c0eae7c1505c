import FilterAPI

extension String: ReadableValue {
    static var placeholder: Self { "" }

    static func read(_ node: Node, _ run: DecodingRun) -> Self? {
        if let text = node.text { return text }
        run.refuseType("text", node)
        return nil
    }
}

extension Bool: ReadableValue {
    static var placeholder: Self { false }

    static func read(_ node: Node, _ run: DecodingRun) -> Self? {
        guard let scalar = node.scalar else {
            run.refuseType("`true` or `false`", node)
            return nil
        }
        let hint: String?
        switch (scalar.text, scalar.mayBeTyped) {
        case ("true", true), ("True", true), ("TRUE", true): return true
        case ("false", true), ("False", true), ("FALSE", true): return false
        case ("true", false), ("false", false): hint = "remove the quotes"
        default: hint = meant(scalar.text)
        }
        run.refuseType("`true` or `false`", node, hint: hint)
        return nil
    }

    private static func meant(_ text: String) -> String? {
        switch text.lowercased() {
        case "yes", "on", "y", "1": return "write `true`"
        case "no", "off", "n", "0": return "write `false`"
        default: return Nearest.match(for: text, among: ["true", "false"]).map { "did you mean `\($0)`?" }
        }
    }
}

extension Duration: ReadableValue {
    static var placeholder: Self { .zero }

    static func read(_ node: Node, _ run: DecodingRun) -> Self? {
        run.read("a duration such as `5s`", .badDuration, from: node, DurationText.read)
    }
}

extension ByteSize: ReadableValue {
    static var placeholder: Self { ByteSize(bytes: 0) }

    static func read(_ node: Node, _ run: DecodingRun) -> Self? {
        run.read("a size such as `64KiB`", .badSize, from: node, SizeText.read).map { ByteSize(bytes: $0) }
    }
}

extension Percent: ReadableValue {
    static var placeholder: Self { .zero }

    static func read(_ node: Node, _ run: DecodingRun) -> Self? {
        run.read("a percentage such as `20%`", .badPercentage, from: node, PercentText.read)
            .map { Percent(millionths: $0) }
    }
}

extension DecodingRun {
    /// Reads one of an enum's words.
    func word<Words: RawRepresentable<String>>(_ type: Words.Type, from node: Node) -> Words? {
        guard let text = node.text else {
            refuseType("a word", node)
            return nil
        }
        if let word = Words(rawValue: text) { return word }
        let accepted = (type as? any CaseIterable.Type).map { rawValues($0) } ?? []
        let nearest = node.isSecret ? nil : Nearest.match(for: text, among: accepted)
        refuse(
            .unknownWord, "\(node.summary) is not accepted here", at: node,
            hint: nearest.map { "did you mean `\($0)`?" }, accepted: accepted)
        return nil
    }

    private func rawValues<Cases: CaseIterable>(_ type: Cases.Type) -> [String] {
        type.allCases.compactMap { ($0 as? any RawRepresentable<String>)?.rawValue }
    }
}
