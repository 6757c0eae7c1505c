internal import Glibc

/// What a shared object wants and nobody has, in words; the system's loader names the first only, and as it is mangled.
struct MissingSymbols {
    /// The names that messages show.
    private static let most = 3

    let names: [String]

    /// - Parameter libraries: the loader's words for what it needs.
    init(of file: PluginFile, _ libraries: [UInt]) {
        names = file.symbols.wanted.filter { symbol in
            // SAFETY: null is the whole process, and the others came from dlopen and were never closed.
            unsafe dlsym(nil, symbol) == nil
                && !libraries.contains { unsafe dlsym(UnsafeMutableRawPointer(bitPattern: $0), symbol) != nil }
        }
    }

    /// The refusal that names them; nil where there are none.
    var refusal: PluginRefusal? {
        guard !names.isEmpty else { return nil }
        let shown = names.prefix(Self.most).map { "`\(Demangler.text($0))`" }.joined(separator: ", ")
        let more = names.count > Self.most ? " and \(names.count - Self.most) more" : ""
        let isOurs = names.contains { $0.hasPrefix("$s9FilterAPI") || $0.hasPrefix("$s11FilterAsync") }
        return PluginRefusal(
            "it needs what neither Sluice nor its libraries have: \(shown)\(more)",
            hint: isOurs
                ? PluginRefusal.rebuild
                : "link the library that has it: `.linkedLibrary(\"name\")` in the plugin's Package.swift")
    }
}
