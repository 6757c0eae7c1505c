/// What a text says that is to be a number with a unit.
enum TextReading<Value: Equatable>: Equatable {
    case value(Value)
    /// Not of the form; the hint is what was probably meant.
    case malformed(hint: String?)
    /// Of the form, and not accepted.
    case outOfRange(String)
}

extension DecodingRun {
    /// Reads a number with a unit.
    ///
    /// - Parameters:
    ///   - what: what is expected, with an example.
    ///   - code: for a text that is not of the form.
    ///   - reading: reads the text.
    func read<Value>(
        _ what: String, _ code: DiagnosticCode, from node: Node, _ reading: (String) -> TextReading<Value>
    ) -> Value? {
        guard let text = node.text else {
            refuseType(what, node)
            return nil
        }
        switch reading(text) {
        case .value(let value):
            return value
        case .malformed(let hint):
            let shown = node.isSecret ? nil : hint
            refuse(code, "expected \(what), found \(node.summary)", at: node, hint: shown)
        case .outOfRange(let reason):
            refuse(.outOfRange, reason, at: node)
        }
        return nil
    }
}
