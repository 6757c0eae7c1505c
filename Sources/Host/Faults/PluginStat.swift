internal import FilterAPI

/// What a plugin has done wrong.
enum PluginStat: Int, StatKey {
    case faults, bypassed

    static let entries: [StatSchema.Entry] = [
        .init(.counter("faults", "Streams that a filter of the plugin has failed by its own doing.")),
        .init(.gauge("bypassed", "1 while streams go on without the plugin's filters.")),
    ]

    static let schema = StatSchema(entries)
}
