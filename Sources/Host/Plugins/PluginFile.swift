internal import Engine

/// A shared object as its bytes tell of it: what it was built with, what it offers, what it needs. None of it has run.
struct PluginFile {
    static let entryPoint = "sluice_plugin"
    /// Of which FilterAPI's own protocol is known: who defines it has FilterAPI inside.
    private static let ownCopy = "$s9FilterAPI0A0Mp"
    /// With debug information a plugin has some megabytes.
    private static let sizeLimit = 512 << 20

    let path: String
    let elf: ELFFile
    let dynamic: ELFDynamic
    let symbols: ELFSymbols
    let notes: [PluginNote]

    init(path: String) throws(PluginRefusal) {
        let bytes: [UInt8]
        do throws(SystemFault) {
            bytes = try Syscalls.contents(of: path, limit: Self.sizeLimit)
        } catch {
            throw PluginRefusal(error.description)
        }
        try self.init(path: path, bytes: bytes)
    }

    /// - Parameter bytes: what the file has.
    init(path: String, bytes: [UInt8]) throws(PluginRefusal) {
        self.path = path
        do throws(ELFFault) {
            elf = try ELFFile(bytes)
            dynamic = try ELFDynamic(elf)
            symbols = try ELFSymbols(elf)
            notes = try PluginNote.all(of: elf)
        } catch {
            throw PluginRefusal(error.message)
        }
    }

    /// The folder that it is in, with a slash at the end.
    var folder: String {
        guard let slash = path.lastIndex(of: "/") else { return "./" }
        return String(path[...slash])
    }

    /// The file's name without its folder.
    var name: String { String(path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...]) }

    /// Whether it means to be a plugin; next to plugins there may be libraries that they need.
    var isPlugin: Bool { symbols.defines(Self.entryPoint) }

    /// Whether it has FilterAPI in it.
    var hasFilterAPI: Bool { symbols.defines(Self.ownCopy) }

    /// Whether it uses FilterAsync.
    var isAsync: Bool { symbols.all.contains { !$0.isDefined && $0.name.hasPrefix("$s11FilterAsync") } }

    /// Refuses what was built for another Sluice, without running any of it.
    func check() throws(PluginRefusal) {
        guard isPlugin else {
            throw PluginRefusal(
                "it has no function `\(Self.entryPoint)`", hint: "a plugin exports it with `@c(\(Self.entryPoint))`")
        }
        if hasFilterAPI {
            throw PluginRefusal(
                "it has its own copy of FilterAPI in it, whose types Sluice does not know",
                hint: "depend on the product `FilterAPI` of the package `sluice`, which is a shared library")
        }
        guard !notes.isEmpty else {
            throw PluginRefusal(
                "it does not say what it was built with, as if its FilterAPI were older than this Sluice's",
                hint: PluginRefusal.rebuild)
        }
        for note in notes { try Self.compare(note) }
    }

    /// Refuses what was not built with what this program was built with.
    ///
    /// - Parameter subject: what a message calls it.
    static func compare(_ note: PluginNote, _ subject: String = "it") throws(PluginRefusal) {
        guard let own = PluginNote.own else { throw PluginRefusal("this Sluice does not know what it was built with") }
        if note == own { return }
        if note.version != own.version {
            throw PluginRefusal(
                "\(subject) was built for filter API \(note.version), this is filter API \(own.version)",
                hint: PluginRefusal.rebuild)
        }
        if note.compiler != own.compiler {
            throw PluginRefusal(
                "\(subject) was built by Swift \(note.compilerText), Sluice by Swift \(own.compilerText)",
                hint: "with Swift \(own.compilerText), " + PluginRefusal.rebuild)
        }
        if note.digest != own.digest {
            throw PluginRefusal(
                "\(subject) was built against other sources of FilterAPI (\(note.digest)) than Sluice (\(own.digest))",
                hint: PluginRefusal.rebuild)
        }
        throw PluginRefusal(
            "\(subject) was built by another build of Swift \(own.compilerText) (\(note.toolchain)) than Sluice "
                + "(\(own.toolchain))", hint: PluginRefusal.rebuild)
    }
}
