internal import Engine
internal import FilterAPI

/// What was loaded, for the log and for the admin interface.
struct PluginReport: Sendable {
    let module: PluginModule
    var path: String { module.path }
    /// The names of its filters.
    let filters: [String]
    /// From its being named to its filters' being known.
    let time: Nanoseconds

    /// A line in the log.
    func write(to log: Log) {
        log.write(
            .debug, "plugin loaded",
            [("path", path), ("filters", filters.joined(separator: " ")), ("microseconds", String(time / 1000))])
    }
}
