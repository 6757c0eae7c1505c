internal import FilterAPI
internal import Synchronization

/// A shared object that brought filters: where from, what the config says of it, and what it has done wrong.
final class PluginModule: Sendable {
    /// The file's name without folder, `lib` and `.so`: what operators call it.
    let name: String
    /// As the config names it.
    let path: String
    /// What the system's loader calls it, which is not its path; for who asks whose code an address is.
    let linkedName: String
    let settings: PluginSettings
    private let faults = Atomic<Int>(0)
    private let latest = Mutex<PluginFault?>(nil)
    private let bypass = Atomic<Bool>(false)

    /// Those that configs in use have, by path: a reload that changes nothing of a plugin forgets nothing of it.
    private static let known = Mutex<[String: Weak]>([:])

    private struct Weak: Sendable { weak let module: PluginModule? }

    /// The one of a file as it was loaded and of what the config says.
    static func of(path: String, linkedName: String, settings: PluginSettings) -> PluginModule {
        known.withLock { known in
            if let old = known[path]?.module, old.linkedName == linkedName, old.settings == settings { return old }
            let module = PluginModule(path: path, linkedName: linkedName, settings: settings)
            known[path] = Weak(module: module)
            return module
        }
    }

    private init(path: String, linkedName: String, settings: PluginSettings) {
        self.path = path
        self.linkedName = linkedName
        self.settings = settings
        var name = path.split(separator: "/").last.map(String.init) ?? path
        if name.hasSuffix(".so") { name.removeLast(3) }
        if name.hasPrefix("lib") { name.removeFirst(3) }
        self.name = name
    }

    /// Whether streams go on without its filters.
    var isBypassed: Bool { bypass.load(ordering: .relaxed) }

    /// How often its filters have failed a stream.
    var faultCount: Int { faults.load(ordering: .relaxed) }

    /// What the last of them was.
    var lastFault: PluginFault? { latest.withLock { $0 } }

    /// One of its filters has failed a stream.
    func note(_ fault: Fault, filter: String, on worker: Worker) {
        let stats = StatSlots<PluginStat>(
            worker.registry.lastingGroup(.plugin(name), PluginStat.schema), slot: worker.index)
        stats.add(.faults)
        latest.withLock { $0 = PluginFault(filter: filter, reason: "\(fault.reason)") }
        let count = faults.add(1, ordering: .relaxed).newValue
        guard settings.onFault == .bypass, count >= settings.bypassAfter,
            !bypass.exchange(true, ordering: .relaxed)
        else { return }
        stats.set(.bypassed, 1)
        worker.log.write(
            .error, "a plugin has failed too often: streams go on without its filters",
            [("plugin", path), ("filter", filter), ("faults", String(count)), ("reason", "\(fault.reason)")])
    }
}
