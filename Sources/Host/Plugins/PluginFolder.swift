internal import Engine

/// A folder that `plugins:` names: what in it is a plugin, in the order of the names.
struct PluginFolder {
    /// Files that may be plugins.
    let paths: [String]

    /// - Returns: nil where the path is no folder.
    init?(_ path: String) throws(PluginRefusal) {
        do throws(SystemFault) {
            guard let names = try Syscalls.names(in: path) else { return nil }
            let prefix = path.hasSuffix("/") ? path : path + "/"
            paths = names.filter { $0.hasSuffix(".so") }.map { prefix + $0 }
        } catch {
            throw PluginRefusal(error.description)
        }
    }

    /// Whether a file means to be a plugin. Libraries that plugins need may stand next to them; what cannot be read as a
    /// shared object is refused, since it may be half a plugin.
    func hasPlugin(at path: String) throws(PluginRefusal) -> Bool {
        if LoadedPlugin.isKnown(path) { return true }
        return try PluginFile(path: path).isPlugin
    }
}
