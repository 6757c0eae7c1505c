package import FilterAPI

/// One entry of `plugins:`: where the shared object is, and what becomes of streams when its filters fail.
///
/// The short form is the path alone.
package struct PluginSettings: SettingsStruct, Equatable {
    /// A shared object or a folder of them; relative to the config file's folder.
    package var path = ""
    /// What a stream does when a filter of this plugin has failed.
    package var onFault = FaultPolicy.closed
    /// How many faults there may be before ``FaultPolicy/bypass`` takes the plugin's filters out.
    package var bypassAfter = 5

    package init() {}

    package init?(shorthand: String) {
        self.init()
        path = shorthand
    }

    package func validate(_ check: inout SettingsCheck) {
        if path.isEmpty { check.error("path", "a plugin needs a path", hint: "for example `./plugins/libhello.so`") }
        if bypassAfter < 1 { check.error("bypass_after", "must be at least 1") }
    }
}

/// What becomes of a stream when a plugin's filter has failed it.
package enum FaultPolicy: String, Codable, Sendable, CaseIterable {
    /// It fails.
    case closed
    /// It goes on without that filter.
    case open
    /// It fails, until the plugin has failed so often that streams go on without its filters.
    case bypass
}
