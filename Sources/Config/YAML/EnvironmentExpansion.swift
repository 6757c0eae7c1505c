/// A text in which `${NAME}`, `${NAME:-default}` and `$$` have been replaced.
struct EnvironmentExpansion {
    /// A reference that cannot be resolved.
    struct Problem {
        /// The part of the text that is wrong.
        let fragment: String
        let message: String
        let hint: String?
    }

    /// The result.
    private(set) var text = ""
    /// Whether anything was looked up, found or not.
    private(set) var hasReference = false
    /// Whether a variable's value is part of the result.
    private(set) var usesEnvironment = false
    /// What cannot be resolved.
    private(set) var problems: [Problem] = []

    init(_ raw: String, _ environment: Environment) {
        var rest = Substring(raw)
        while let dollar = rest.firstIndex(of: "$") {
            text += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            switch rest.first {
            case "$"?:
                text += "$"
                rest.removeFirst()
            case "{"?:
                resolve(&rest, environment)
            default:
                text += "$"
            }
        }
        text += rest
    }

    private mutating func resolve(_ rest: inout Substring, _ environment: Environment) {
        hasReference = true
        guard let end = rest.firstIndex(of: "}") else {
            problems.append(
                Problem(
                    fragment: "$" + rest, message: "`${` is not closed with `}`", hint: "write `$$` for a dollar sign"))
            rest = ""
            return
        }
        let inside = rest[rest.index(after: rest.startIndex)..<end]
        rest = rest[rest.index(after: end)...]
        let name = inside.prefix { $0 != ":" }
        let after = inside[name.endIndex...]
        let fallback = after.hasPrefix(":-") ? after.dropFirst(2) : nil
        guard EnvironmentExpansion.isName(name), after.isEmpty || fallback != nil else {
            problems.append(
                Problem(
                    fragment: "${\(inside)}", message: "`${\(inside)}` is not a reference to the environment",
                    hint: "write `${NAME}`, `${NAME:-default}`, or `$$` for a dollar sign"))
            return
        }
        append(String(name), fallback, environment[String(name)])
    }

    private mutating func append(_ name: String, _ fallback: Substring?, _ value: String?) {
        if let value, fallback == nil || !value.isEmpty {
            text += value
            usesEnvironment = true
        } else if let fallback {
            text += fallback
        } else {
            problems.append(
                Problem(
                    fragment: "${\(name)}", message: "the environment variable `\(name)` is not set",
                    hint: "set it, or write `${\(name):-default}`"))
        }
    }

    private static func isName(_ name: Substring) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: return true
            default: return false
            }
        }
    }
}
