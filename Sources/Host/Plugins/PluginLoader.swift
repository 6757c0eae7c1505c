internal import Config
internal import Engine
internal import FilterAPI
internal import Glibc
internal import Synchronization

/// Loads shared objects that bring filters, and refuses those that were built for another Sluice.
///
/// A module is never unloaded: its types may be in use for as long as the process lives. The same file is loaded once.
struct PluginLoader {
    let diagnostics: Diagnostics
    /// The config file; paths are relative to its folder.
    let base: String

    private typealias Entry = @convention(c) (UInt32, UnsafeMutableRawPointer) -> Int32

    private static let entryName = "sluice_plugin"
    private static let loaded = Mutex<[String: [any Filter.Type]]>([:])

    /// Loads what the config names and adds its filters to the registry.
    func load(_ plugins: [PluginSettings], _ node: Node?, into registry: inout FilterRegistry) {
        for (index, plugin) in plugins.enumerated() {
            let path = plugin.path
            let entry = node?.elements.flatMap { index < $0.count ? $0[index] : nil } ?? node
            let place = (entry?["path"] ?? entry)?.place
            let module = PluginModule(path: resolved(path), settings: plugin)
            do throws(PluginRefusal) {
                for type in try types(at: module.path) {
                    if let old = registry.add(type, of: module), old != type {
                        throw PluginRefusal(
                            "it brings a filter `\(type.manifest.id)`, and there is one of that name already")
                    }
                }
            } catch {
                diagnostics.error(
                    .badPlugin, "the plugin `\(path)` cannot be used: \(error.message)", at: place, hint: error.hint)
            }
        }
    }

    private func resolved(_ path: String) -> String {
        let path = ConfigFolder(of: base).resolve(path)
        // Without a slash the loader would search the system's folders.
        return path.contains("/") ? path : "./\(path)"
    }

    private func types(at path: String) throws(PluginRefusal) -> [any Filter.Type] {
        let key = try identity(of: path)
        if let known = Self.loaded.withLock({ $0[key] }) { return known }
        let types = try open(path)
        Self.loaded.withLock { $0[key] = types }
        return types
    }

    private func identity(of path: String) throws(PluginRefusal) -> String {
        do throws(SystemFault) {
            if let key = try Syscalls.fileIdentity(path) { return key }
        } catch {
            throw PluginRefusal(error.description)
        }
        throw PluginRefusal("it is not a file")
    }

    private func open(_ path: String) throws(PluginRefusal) -> [any Filter.Type] {
        guard let module = unsafe dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw PluginRefusal(unsafe dlerror().map { unsafe String(cString: $0) } ?? "the loader refused it")
        }
        guard let symbol = unsafe dlsym(module, Self.entryName) else {
            throw PluginRefusal(
                "it has no function `\(Self.entryName)`", hint: "a plugin exports it with `@c(\(Self.entryName))`")
        }
        // SAFETY: the symbol is a plugin's entry point by its name; this is its type in every version.
        let entry = unsafe unsafeBitCast(symbol, to: Entry.self)
        var theirs = PluginHandshake(version: 0, compiler: 0, layout: 0)
        guard unsafe entry(0, &theirs) == 0 else { throw PluginRefusal("it did not answer the first question") }
        try compare(theirs)
        var types: [any Filter.Type] = []
        // Not `&types`: of an array, that points at its elements.
        let answered = unsafe withUnsafeMutablePointer(to: &types) { unsafe entry(1, $0) }
        guard answered == 0 else { throw PluginRefusal("it did not say which filters it brings") }
        return try checked(types)
    }

    private func compare(_ theirs: PluginHandshake) throws(PluginRefusal) {
        let ours = PluginHandshake(
            version: PluginAPI.version, compiler: PluginAPI.compiler, layout: PluginAPI.layout)
        if theirs == ours { return }
        let hint = "build it again against this Sluice: `swift build -c release` in the plugin's folder"
        if theirs.version != ours.version {
            throw PluginRefusal(
                "it was built for filter API \(theirs.version), this is filter API \(ours.version)", hint: hint)
        }
        if theirs.compiler != ours.compiler {
            throw PluginRefusal(
                "it was built by Swift \(Self.text(theirs.compiler)), Sluice by Swift \(Self.text(ours.compiler))",
                hint: hint)
        }
        throw PluginRefusal(
            "its FilterAPI has other types than this Sluice's, although both say the same version", hint: hint)
    }

    private static func text(_ compiler: UInt32) -> String { "\(compiler / 100).\(compiler % 100)" }

    private func checked(_ types: [any Filter.Type]) throws(PluginRefusal) -> [any Filter.Type] {
        for type in types where Role(of: type) == .none {
            throw PluginRefusal(
                "its filter `\(type)` has no role that Sluice knows, as if it had brought its own copy of FilterAPI",
                hint:
                    "depend on the product `FilterAPI`, which is a shared library, and conform to a role such as HTTPFilter"
            )
        }
        return types
    }
}

/// Why a plugin cannot be used.
struct PluginRefusal: Error {
    let message: String
    let hint: String?

    init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }
}
