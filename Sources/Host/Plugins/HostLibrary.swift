internal import Engine
internal import Synchronization

/// `libFilterAPI.so` of this very program.
///
/// Plugins are linked against it. FilterAPI is the program's own; what is in use of the library is FilterAsync, which the
/// program does not have. So it has to be of the same build, and the program loads it before the first plugin that names
/// it: from then on the system's loader knows it by its name. See decision 28 for what has to be in it.
enum HostLibrary {
    static let name = "libFilterAPI.so"
    private static let loaded = Mutex<String?>(nil)

    /// Where libraries that come with the program are: where they are installed, or next to it in a build folder.
    static let folders: [String] = {
        let path = Syscalls.ownPath
        guard let slash = path.lastIndex(of: "/") else { return [] }
        let folder = String(path[...slash])
        return [folder + "../lib/sluice/", folder + "runtime/", folder]
    }()

    static var path: String? { folders.map { $0 + name }.first { FileProbe.exists($0) } }

    /// Loads it for a plugin, where it has not been.
    static func load(for plugin: PluginFile) throws(PluginRefusal) {
        guard let path = loaded.withLock({ $0 }) ?? path else {
            throw PluginRefusal(
                "\(name) is not there, which comes with Sluice and stands in ../lib/sluice or next to the program",
                hint: "install Sluice by `scripts/install`; in a checkout: `scripts/lib/runtime debug`, or release")
        }
        do throws(PluginRefusal) {
            if loaded.withLock({ $0 }) == nil {
                let file = try checked(path)
                if plugin.isAsync { try checkAsync(file) }
                _ = try SharedObject(file)
                loaded.withLock { $0 = path }
            } else if plugin.isAsync {
                try checkAsync(try PluginFile(path: path))
            }
        } catch {
            throw PluginRefusal(
                "\(path) is not the one of this Sluice: \(error.message)",
                hint: error.hint == nil || error.hint == PluginRefusal.rebuild
                    ? "install Sluice again, and start it anew; in a checkout: `scripts/lib/runtime debug`, or release"
                    : error.hint)
        }
    }

    private static func checked(_ path: String) throws(PluginRefusal) -> PluginFile {
        let file = try PluginFile(path: path)
        guard let note = file.notes.first else { throw PluginRefusal("it does not say what it was built with") }
        try PluginFile.compare(note)
        return file
    }

    /// The library that plugins are linked against will do for those that use nothing of it.
    private static func checkAsync(_ file: PluginFile) throws(PluginRefusal) {
        guard file.hasFilterAPI else { return }
        throw PluginRefusal(
            "it has FilterAPI in it, which is only for building",
            hint: "asynchronous filters need the one that `scripts/lib/runtime debug` links, or release; start Sluice anew")
    }
}
