internal import Engine
internal import FilterAPI
internal import Synchronization

/// A shared object that has said which filters it brings.
///
/// It is never unloaded: its types may be in use for as long as the process lives. The same file is loaded once, and one
/// that has replaced it is another plugin, whose types have nothing to do with the old ones.
struct LoadedPlugin: Sendable {
    let types: [any Filter.Type]
    /// What the system's loader calls it.
    let linkedName: String

    private typealias Entry = @convention(c) (UInt32, UnsafeMutableRawPointer) -> Int32
    private static let loaded = Mutex<[String: LoadedPlugin]>([:])

    /// The plugin in a file.
    static func at(_ path: String) throws(PluginRefusal) -> LoadedPlugin {
        let key = try identity(of: path)
        if let known = loaded.withLock({ $0[key] }) { return known }
        let plugin = try LoadedPlugin(PluginFile(path: path))
        loaded.withLock { $0[key] = plugin }
        return plugin
    }

    /// Whether the file is loaded, as it stands now.
    static func isKnown(_ path: String) -> Bool {
        guard let key = try? identity(of: path) else { return false }
        return loaded.withLock { $0[key] != nil }
    }

    private static func identity(of path: String) throws(PluginRefusal) -> String {
        do throws(SystemFault) {
            if let key = try Syscalls.fileIdentity(path) { return key }
        } catch {
            throw PluginRefusal(error.description)
        }
        throw PluginRefusal("it is not a file")
    }

    private init(_ file: PluginFile) throws(PluginRefusal) {
        try file.check()
        let object = try SharedObject(file)
        guard let symbol = unsafe object.address(of: PluginFile.entryPoint) else {
            throw PluginRefusal("its function `\(PluginFile.entryPoint)` is not there")
        }
        // SAFETY: the symbol is a plugin's entry point by its name; this is its type in every version.
        let entry = unsafe unsafeBitCast(symbol, to: Entry.self)
        var theirs = PluginHandshake(version: 0, compiler: 0, layout: 0)
        guard unsafe entry(0, &theirs) == 0 else { throw PluginRefusal("it did not answer the first question") }
        try Self.compare(theirs)
        var types: [any Filter.Type] = []
        // Not `&types`: of an array, that points at its elements.
        let answered = unsafe withUnsafeMutablePointer(to: &types) { unsafe entry(1, $0) }
        guard answered == 0 else { throw PluginRefusal("it did not say which filters it brings") }
        try ManifestCheck.check(types)
        self.types = types
        linkedName = object.linkedName
    }

    /// The last question before Swift values cross. The note has said as much; what only the running code knows is how it
    /// lays out the types.
    private static func compare(_ theirs: PluginHandshake) throws(PluginRefusal) {
        let ours = PluginHandshake(
            version: PluginAPI.version, compiler: PluginAPI.compiler, layout: PluginAPI.layout)
        if theirs == ours { return }
        guard theirs.version == ours.version, theirs.compiler == ours.compiler else {
            throw PluginRefusal(
                "it says something else of itself than the note in its file", hint: PluginRefusal.rebuild)
        }
        throw PluginRefusal(
            "its FilterAPI has other types than this Sluice's, although both say the same version",
            hint: PluginRefusal.rebuild)
    }
}
