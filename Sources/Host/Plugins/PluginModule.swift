/// A shared object that brought filters: where from, and what the config says of it.
final class PluginModule: Sendable {
    /// The file's name without folder, `lib` and `.so`: what operators call it.
    let name: String
    /// As the config names it.
    let path: String
    /// What the system's loader calls it, which is not its path; for who asks whose code an address is.
    let linkedName: String
    let settings: PluginSettings

    init(path: String, linkedName: String, settings: PluginSettings) {
        self.path = path
        self.linkedName = linkedName
        self.settings = settings
        var name = path.split(separator: "/").last.map(String.init) ?? path
        if name.hasSuffix(".so") { name.removeLast(3) }
        if name.hasPrefix("lib") { name.removeFirst(3) }
        self.name = name
    }
}
