internal import Engine
internal import Glibc

/// `libFilterAPI.so` of this very program.
///
/// Plugins are linked against it. Its FilterAPI gives way to the program's own, which has the same symbols; what is in
/// use of it is FilterAsync, which the program does not have. So it has to be of the same build, and the program loads it
/// before the first plugin that names it: from then on the system's loader knows it by its name.
enum HostLibrary {
    static let name = "libFilterAPI.so"

    /// Where libraries that come with the program are: next to it in a build folder, else where they are installed.
    static let folders: [String] = {
        let path = Syscalls.ownPath
        guard let slash = path.lastIndex(of: "/") else { return [] }
        let folder = String(path[...slash])
        return [folder, folder + "../lib/sluice/"]
    }()

    static var path: String? { folders.map { $0 + name }.first { FileProbe.exists($0) } }

    /// Loads it, where it has not been.
    static func load() throws(PluginRefusal) {
        guard let path else {
            throw PluginRefusal(
                "\(name) is not there, which comes with Sluice and stands next to the program or in ../lib/sluice",
                hint: "install Sluice by `scripts/install`; in a checkout: `swift build --product FilterAPI`")
        }
        do throws(PluginRefusal) {
            let file = try PluginFile(path: path)
            guard let note = file.notes.first else { throw PluginRefusal("it does not say what it was built with") }
            try PluginFile.compare(note)
            _ = try SharedObject(file)
        } catch {
            throw PluginRefusal(
                "\(path) is not the one of this Sluice: \(error.message)",
                hint: "install Sluice again, and start it anew; in a checkout: `swift build --product FilterAPI`")
        }
    }
}
