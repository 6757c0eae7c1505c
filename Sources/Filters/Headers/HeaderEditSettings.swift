public import FilterAPI

/// What to change in the header fields of a message.
public struct HeaderEditSettings: SettingsStruct {
    /// Fields that are replaced, or added where they are missing; a value may hold variables such as `%PROTOCOL%`.
    public var set: [String: String] = [:]
    /// Fields that are added beside those that there are; a value may hold variables.
    public var add: [String: [String]] = [:]
    /// Fields that are removed, before anything is set or added.
    public var remove: [String] = []

    /// No changes.
    public init() {}

    /// Checks names and values.
    public func validate(_ check: inout SettingsCheck) {
        for (name, text) in set {
            checkName(name, at: "set.\(name)", &check)
            checkValue(text, at: "set.\(name)", &check)
        }
        for (name, texts) in add {
            if name.lowercased() == "host" {
                check.error("add.\(name)", "a request has one `host`", hint: "write it under `set`")
            }
            checkName(name, at: "add.\(name)", &check)
            for text in texts { checkValue(text, at: "add.\(name)", &check) }
        }
        for (index, name) in remove.enumerated() {
            if name.lowercased() == "host" { check.error("remove[\(index)]", "a request must have its `host`") }
            checkName(name, at: "remove[\(index)]", &check)
        }
    }

    private func checkName(_ text: String, at key: String, _ check: inout SettingsCheck) {
        guard let name = HeaderName(text) else {
            check.error(key, "`\(text)` cannot be the name of a header field")
            return
        }
        switch name {
        case .connection, .contentLength, .transferEncoding, .keepAlive, .proxyConnection, .te, .trailer, .upgrade:
            check.error(key, "`\(text)` belongs to the connection, and is set by the codec")
        default: break
        }
    }

    private func checkValue(_ text: String, at key: String, _ check: inout SettingsCheck) {
        do throws(FormatProblem) {
            _ = try TextFormat.parse(text)
        } catch {
            check.error(key, error.message, hint: error.hint)
        }
        if !text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) {
            check.error(key, "the value of a header field cannot hold control characters")
        }
    }
}
