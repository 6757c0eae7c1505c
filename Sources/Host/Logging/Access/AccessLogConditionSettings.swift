internal import Config
package import FilterAPI
package import Filters

/// Which requests a log has: those for which all that is said here is true.
package struct AccessLogConditionSettings: SettingsStruct {
    /// One of these: `404`, `500-599`, `5xx`, `">=400"`; 0 where no status was given.
    package var status: [String] = []
    /// At least so long from the request's first byte to the response's last.
    package var minDuration: Duration?
    /// One of these flags, by its short or its long name; `any` for at least one of all.
    package var flags: [String] = []
    /// The beginning of the reason, or all of it: `upstream`, `tls.unknown_ca`.
    package var reasons: [String] = []
    /// What a route may ask of a request, too.
    package var request: Router.MatchSettings?
    /// That share of the requests.
    package var sample: Percent?
    /// At least one of these holds.
    package var any: [AccessLogConditionSettings] = []
    /// None of these holds.
    package var not: [AccessLogConditionSettings] = []

    package init() {}

    package func validate(_ check: inout SettingsCheck) {
        for (index, text) in status.enumerated() where StatusRange(text) == nil {
            check.error(
                "status[\(index)]", "`\(text)` is no status and no range of them",
                hint: "for example `404`, `500-599`, `5xx` or `\">=400\"`")
        }
        for (index, text) in flags.enumerated() where text != "any" && ResponseFlags(named: text) == nil {
            let names = ResponseFlags.all.flatMap { $0.shortNames + $0.longNames }.map { "\($0)" } + ["any"]
            check.error(
                "flags[\(index)]", "there is no flag `\(text)`",
                hint: (nearest(text, names) ?? nearest(text.uppercased(), names)).map { "did you mean `\($0)`?" }
                    ?? "`sluice explain` lists all of them")
        }
        for (index, text) in reasons.enumerated() where text.isEmpty || text.hasPrefix(".") {
            check.error("reasons[\(index)]", "must be a reason or the beginning of one, such as `upstream`")
        }
        if sample == .zero { check.warning("sample", "a log of no requests", hint: "write `to: off` for no log") }
        if isEmpty { check.error("", "there is no condition", hint: "for example `status: 500-599` or `flags: any`") }
    }

    private var isEmpty: Bool {
        status.isEmpty && minDuration == nil && flags.isEmpty && reasons.isEmpty && request == nil && sample == nil
            && any.isEmpty && not.isEmpty
    }
}
