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

    private static var places: [String] { folders.map { $0 + name }.filter { FileProbe.exists($0) } }

    static var isThere: Bool { !places.isEmpty }

    /// Loads it for a plugin, where it has not been.
    static func load(for plugin: PluginFile) throws(PluginRefusal) {
        if let path = loaded.withLock({ $0 }) {
            if plugin.isAsync { try checkAsync(PluginFile(path: path)) }
            return
        }
        guard let first = places.first else {
            throw PluginRefusal(
                "\(name) is not there, which comes with Sluice and stands in ../lib/sluice or next to the program",
                hint: "install Sluice by `scripts/install`; in a checkout: `scripts/lib/runtime debug`, or release")
        }
        // In a checkout one of them may be older than the program.
        let fitting = places.lazy.compactMap { try? checked($0) }.first
        let file = if let fitting { fitting } else { try checked(first) }
        if plugin.isAsync { try checkAsync(file) }
        _ = try SharedObject(file)
        loaded.withLock { $0 = file.path }
    }

    private static func checked(_ path: String) throws(PluginRefusal) -> PluginFile {
        do throws(PluginRefusal) {
            let file = try PluginFile(path: path)
            guard let note = file.notes.first else { throw PluginRefusal("it does not say what it was built with") }
            try PluginFile.compare(note)
            return file
        } catch {
            throw PluginRefusal(
                "\(path) is not the one of this Sluice: \(error.message)",
                hint: "install Sluice again, and start it anew; in a checkout: `scripts/lib/runtime debug`, or release")
        }
    }

    /// The library that plugins are linked against will do for those that use nothing of it.
    private static func checkAsync(_ file: PluginFile) throws(PluginRefusal) {
        guard file.hasFilterAPI else { return }
        throw PluginRefusal(
            "it is asynchronous, and \(file.path) has FilterAPI in it, as is right for building only",
            hint: "link the one for running by `scripts/lib/runtime debug`, or release, and start Sluice anew")
    }
}
