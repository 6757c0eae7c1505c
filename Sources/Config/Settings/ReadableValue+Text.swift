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
        guard let text = node.text else {
            run.refuseType("a duration such as `5s`", node)
            return nil
        }
        switch DurationText.read(text) {
        case .value(let duration):
            return duration
        case .malformed(let hint):
            let shown = node.isSecret ? nil : hint
            run.refuse(.badDuration, "expected a duration such as `5s`, found \(node.summary)", at: node, hint: shown)
        case .outOfRange(let reason):
            run.refuse(.outOfRange, reason, at: node)
        }
        return nil
    }
}

extension ByteSize: ReadableValue {
    static var placeholder: Self { ByteSize(bytes: 0) }

    static func read(_ node: Node, _ run: DecodingRun) -> Self? {
        guard let text = node.text else {
            run.refuseType("a size such as `64KiB`", node)
            return nil
        }
        switch SizeText.read(text) {
        case .value(let bytes):
            return ByteSize(bytes: bytes)
        case .malformed(let hint):
            let shown = node.isSecret ? nil : hint
            run.refuse(.badSize, "expected a size such as `64KiB`, found \(node.summary)", at: node, hint: shown)
        case .outOfRange(let reason):
            run.refuse(.outOfRange, reason, at: node)
        }
        return nil
    }
}

extension Percent: ReadableValue {
    static var placeholder: Self { .zero }

    static func read(_ node: Node, _ run: DecodingRun) -> Self? {
        guard let text = node.text else {
            run.refuseType("a percentage such as `20%`", node)
            return nil
        }
        switch PercentText.read(text) {
        case .value(let millionths):
            return Percent(millionths: millionths)
        case .malformed(let hint):
            let shown = node.isSecret ? nil : hint
            run.refuse(
                .badPercentage, "expected a percentage such as `20%`, found \(node.summary)", at: node, hint: shown)
        case .outOfRange(let reason):
            run.refuse(.outOfRange, reason, at: node)
        }
        return nil
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
