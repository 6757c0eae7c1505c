/// Why a plugin cannot be used.
struct PluginRefusal: Error {
    let message: String
    let hint: String?

    init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }

    /// What helps against every plugin that was built with something else.
    static let rebuild = "build it again against this Sluice: `swift build -c release` in the plugin's folder"
}
