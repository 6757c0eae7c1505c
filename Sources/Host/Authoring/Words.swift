/// The words behind a command, one after the other: options with their values, and the others.
struct Words {
    enum Word: Equatable {
        case option(String)
        case plain(String)
    }

    private let command: String
    private let accepted: [String]
    private var rest: ArraySlice<String>
    private var option = ""
    private var inline: String?

    /// - Parameters:
    ///   - command: as messages call it.
    ///   - accepted: the options that there are.
    init(_ command: String, _ arguments: [String], _ accepted: [String]) {
        self.command = command
        self.accepted = accepted
        rest = arguments[...]
    }

    /// The next word; nil behind the last.
    mutating func next() throws(UsageError) -> Word? {
        if let inline { throw UsageError(message: "`\(option)` takes no value, such as `\(inline)`") }
        guard let argument = rest.popFirst() else { return nil }
        guard argument.hasPrefix("-"), argument != "-" else { return .plain(argument) }
        option = argument
        if argument.hasPrefix("--"), let equals = argument.firstIndex(of: "=") {
            option = String(argument[..<equals])
            inline = String(argument[argument.index(after: equals)...])
        }
        guard accepted.contains(option) else {
            let near = nearest(option, accepted)
            throw UsageError(
                message: "`\(command)` does not know `\(option)`" + (near.map { "; did you mean `\($0)`?" } ?? ""))
        }
        return .option(option)
    }

    /// The value of the option that came last.
    mutating func value() throws(UsageError) -> String {
        defer { inline = nil }
        guard let value = inline ?? rest.popFirst() else { throw UsageError(message: "`\(option)` needs a value") }
        return value
    }

    /// The same, where it is one of a few words.
    mutating func word<W: RawRepresentable & CaseIterable>() throws(UsageError) -> W where W.RawValue == String {
        let text = try value()
        if let word = W(rawValue: text) { return word }
        let words = W.allCases.map(\.rawValue).joined(separator: ", ")
        throw UsageError(message: "`\(option)` is one of \(words), not `\(text)`")
    }

    /// The same, where it is a port.
    mutating func port() throws(UsageError) -> UInt16 {
        let text = try value()
        if let port = UInt16(text) { return port }
        throw UsageError(message: "`\(option)` needs a number from 0 to 65535, not `\(text)`")
    }
}
