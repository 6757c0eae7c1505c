/// What a plugin's filter has done wrong, for whoever asks later.
struct PluginFault: Sendable {
    /// The filter's name in its chain.
    let filter: String
    let reason: String
}
