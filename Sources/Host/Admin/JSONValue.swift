internal import Filters

/// A value on its way to JSON, with its members in order.
indirect enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object([(String, JSONValue)])

    /// The value as text, indented.
    var text: String {
        var text = ByteText(capacity: 4096)
        write(to: &text, depth: 0)
        return String(decoding: text.copy(), as: UTF8.self)
    }

    private func write(to text: inout ByteText, depth: Int) {
        switch self {
        case .null: text.append("null")
        case .bool(let value): text.append(value ? "true" : "false")
        case .int(let value): text.append(decimal: value)
        case .double(let value): text.append(decimal: value)
        case .string(let value): Self.quote(value, &text)
        case .array(let values) where values.isEmpty: text.append("[]")
        case .object(let members) where members.isEmpty: text.append("{}")
        case .array(let values):
            text.append("[")
            for (index, value) in values.enumerated() {
                Self.newLine(index, depth + 1, &text)
                value.write(to: &text, depth: depth + 1)
            }
            Self.newLine(0, depth, &text)
            text.append("]")
        case .object(let members):
            text.append("{")
            for (index, member) in members.enumerated() {
                Self.newLine(index, depth + 1, &text)
                Self.quote(member.0, &text)
                text.append(": ")
                member.1.write(to: &text, depth: depth + 1)
            }
            Self.newLine(0, depth, &text)
            text.append("}")
        }
    }

    private static func newLine(_ index: Int, _ depth: Int, _ text: inout ByteText) {
        text.append(index > 0 ? ",\n" : "\n")
        for _ in 0..<depth { text.append(" ") }
    }

    private static func quote(_ value: String, _ text: inout ByteText) {
        text.append("\"")
        text.append(json: value)
        text.append("\"")
    }
}
