package import FilterAPI

/// The admin interface, on a listener of its own.
package struct AdminSettings: SettingsStruct {
    /// Addresses; none for no interface.
    package var bind: [String] = []
    /// Shown by whoever wants to change something; nil where only a Unix socket will do.
    package var token: String?
    /// Names by which the interface may be called, beside addresses and `localhost`.
    package var hosts: [String] = []
    /// Off unless it is set here: scrapes would fill the log of the listeners.
    package var accessLog: [AccessLogSettings] = []

    package init() {}

    package init?(shorthand: String) { bind = [shorthand] }

    package func validate(_ check: inout SettingsCheck) {
        if bind.isEmpty { check.error("", "`admin` needs `bind`", hint: "for example `bind: 127.0.0.1:9901`") }
        Self.validate(token: token, &check)
    }

    static func validate(token: String?, _ check: inout SettingsCheck) {
        guard let token else { return }
        if token.utf8.count < 16 { check.error("token", "must have at least 16 characters") }
        if !token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
            check.error("token", "must be printable ASCII without spaces")
        }
    }
}
