internal import Engine

/// A filter's package on the disk.
struct FilterPackage {
    let folder: String

    /// - Throws: where the folder has no package.
    init(_ folder: String) throws(UsageError) {
        guard FileProbe.exists(folder + "/Package.swift") else {
            throw UsageError(
                message: "there is no Package.swift in `\(folder)`; `sluice filter new NAME` writes a package")
        }
        self.folder = folder
    }

    /// The word in paths and for the compiler.
    static func configuration(isDebug: Bool) -> String { isDebug ? "debug" : "release" }

    /// The shared objects in it that are plugins, after it was built.
    func plugins(isDebug: Bool) throws(PluginRefusal) -> [String] {
        let build = "\(folder)/.build/\(Self.configuration(isDebug: isDebug))"
        guard let products = try PluginFolder(build) else { return [] }
        var found: [String] = []
        for path in products.paths where try products.hasPlugin(at: path) { found.append(path) }
        return found
    }
}

/// Swift's own program, which builds packages.
enum SwiftProgram {
    /// Finds it in the folders of PATH.
    static func find() throws(UsageError) -> String {
        for folder in (Syscalls.environment("PATH") ?? "").split(separator: ":") {
            let path = "\(folder)/swift"
            if Syscalls.isProgram(path) { return path }
        }
        throw UsageError(
            message: "there is no `swift` in the folders of PATH; filters are built by Swift "
                + "\(PluginNote.own?.compilerText ?? ""), which is at https://swift.org/install")
    }
}
