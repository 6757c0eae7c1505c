import FilterAPI
import Glibc

@testable import Config

/// Reads a text as a config file of that type.
func read<Settings: SettingsStruct>(
    _ type: Settings.Type, _ text: String, environment: [String: String] = [:], name: String = "sluice.yaml"
) -> (decoded: Decoded<Settings>?, diagnostics: Diagnostics) {
    let diagnostics = Diagnostics(file: name)
    let document = Document.parse(
        Array(text.utf8), name: name, into: diagnostics, environment: Environment(environment))
    guard let document else { return (nil, diagnostics) }
    let decoded = SettingsDecoder().decode(type, from: document.root, into: diagnostics)
    return (decoded, diagnostics)
}

/// The tree of a text, and what was wrong with it.
func tree(_ text: String, environment: [String: String] = [:], name: String = "sluice.yaml") -> (Node?, Diagnostics) {
    let diagnostics = Diagnostics(file: name)
    let document = Document.parse(
        Array(text.utf8), name: name, into: diagnostics, environment: Environment(environment))
    return (document?.root, diagnostics)
}

/// The findings as `code line:column message (hint)`.
func brief(_ diagnostics: Diagnostics) -> [String] {
    diagnostics.sorted.map { item in
        let range = item.place?.range
        let hint = item.hint.map { " (\($0))" } ?? ""
        return "\(item.code.rawValue) \(range?.line ?? 0):\(range?.column ?? 0) \(item.message)\(hint)"
    }
}

/// A file or folder beside the tests' sources.
func beside(_ name: String, of file: String = #filePath) -> String {
    String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)]) + "/" + name
}

func names(in folder: String) -> [String] {
    guard let directory = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
            unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
        }
        names.append(name)
    }
    return names.sorted()
}

func write(_ text: String, to path: String) {
    guard let file = unsafe fopen(path, "w") else { return }
    unsafe fputs(text, file)
    unsafe fclose(file)
}
