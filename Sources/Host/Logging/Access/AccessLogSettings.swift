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
        if to == "" { check.error("to", "must be `stdout`, `off` or a path") }
    }
}
