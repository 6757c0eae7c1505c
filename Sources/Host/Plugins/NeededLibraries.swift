internal import Engine
internal import Glibc

/// Finds the libraries that a shared object needs, before the system's loader looks for them: its words about what it
/// does not find are few, and it would not look next to a file that it is given as a copy.
enum NeededLibraries {
    /// Loads what is not there yet.
    ///
    /// - Returns: the loader's words for them, in which symbols can be looked for.
    static func load(for file: PluginFile) throws(PluginRefusal) -> [UInt] {
        var handles: [UInt] = []
        for name in file.dynamic.needed { handles.append(try load(name, for: file)) }
        return handles
    }

    private static func load(_ name: String, for file: PluginFile) throws(PluginRefusal) -> UInt {
        if name == HostLibrary.name { try HostLibrary.load(for: file) }
        if let handle = open(name, RTLD_NOLOAD) { return handle }
        // What comes with Sluice goes before what the file's builder had: there is one Swift runtime in a process.
        for folder in HostLibrary.folders + folders(of: file) {
            let path = folder + name
            if FileProbe.exists(path), let handle = open(path, 0) { return handle }
        }
        if let handle = open(name, 0) { return handle }
        throw PluginRefusal("it needs the library `\(name)`, which is not there", hint: advice(name))
    }

    private static func open(_ name: String, _ flags: Int32) -> UInt? {
        guard let handle = unsafe dlopen(name, RTLD_NOW | RTLD_LOCAL | flags) else { return nil }
        return UInt(bitPattern: handle)
    }

    /// Where the file itself has its libraries looked for.
    private static func folders(of file: PluginFile) -> [String] {
        var folders: [String] = []
        for folder in file.dynamic.folders {
            for origin in ["$ORIGIN", "${ORIGIN}"] where folder.hasPrefix(origin) {
                folders.append(file.folder + "." + folder.dropFirst(origin.count) + "/")
            }
            if !folder.hasPrefix("$") { folders.append(folder + "/") }
        }
        return folders
    }

    /// Whether a library would be found, as far as can be said without loading it.
    static func isThere(_ name: String, for file: PluginFile) -> Bool {
        if name == HostLibrary.name { return HostLibrary.isThere }
        if open(name, RTLD_NOLOAD) != nil { return true }
        let usual = ["/lib/", "/usr/lib/", "/lib64/", "/usr/local/lib/"]
        #if arch(x86_64)
            let own = ["/lib/x86_64-linux-gnu/", "/usr/lib/x86_64-linux-gnu/"]
        #else
            let own = ["/lib/aarch64-linux-gnu/", "/usr/lib/aarch64-linux-gnu/"]
        #endif
        return (HostLibrary.folders + folders(of: file) + own + usual).contains { FileProbe.exists($0 + name) }
    }

    /// What to install. Debian names packages after the library and the version of its interface.
    static func advice(_ name: String) -> String {
        if name.hasPrefix("libswift") || name.hasPrefix("libFoundation") || name.hasPrefix("lib_Foundation")
            || name.hasPrefix("libdispatch") || name.hasPrefix("libBlocksRuntime")
        {
            return "it is of the Swift runtime: copy it from the toolchain to lib/sluice, next to libswiftCore.so"
        }
        let parts = name.split(separator: ".")
        guard let end = parts.firstIndex(of: "so") else { return "copy it next to the plugin" }
        let stem = parts[..<end].joined(separator: ".")
        if stem.hasPrefix("libbrotli") { return "install it; on Debian it is in the package `libbrotli1`" }
        let version = parts[(end + 1)...].joined(separator: ".")
        let dash = stem.last?.isNumber == true && !version.isEmpty ? "-" : ""
        return "install it, on Debian probably by the package `\(stem.lowercased())\(dash)\(version)`, "
            + "or copy it next to the plugin"
    }
}
