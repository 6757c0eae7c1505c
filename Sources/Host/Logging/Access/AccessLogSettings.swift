package import Config
package import FilterAPI

/// One log of requests: where it goes, what it looks like, and which requests it has.
package struct AccessLogSettings: SettingsStruct {
    /// `stdout`, `off`, or a path; nil where nothing is said.
    package var to: String?
    /// `text`, `json`, a line with variables, or a mapping: an object of JSON with variables.
    /// Read by ``AccessLogReader``, which knows where each variable stands.
    package var format = RawNode()
    /// Whether members of JSON without a value are left out.
    package var omitEmpty = false
    /// Which requests are logged; all where nothing is said.
    package var when: AccessLogConditionSettings?

    package init() {}

    package init?(shorthand: String) { to = shorthand }

    package func validate(_ check: inout SettingsCheck) {
        guard let to else { return }
        if to.isEmpty { check.error("to", "must be `stdout`, `off` or a path") }
        let words = ["stdout", "off"]
        guard !words.contains(to), !to.isEmpty, !to.contains(where: { $0 == "/" || $0 == "." }) else { return }
        // A slip of the pen would be a file that nobody looks for.
        check.error(
            "to", "`\(to)` is neither `stdout`, `off` nor plainly a path",
            hint: nearest(to, words).map { "did you mean `\($0)`?" }
                ?? "write `./\(to)` for a file in the current folder")
    }
}
