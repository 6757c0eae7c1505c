internal import Engine

/// The package `sluice` that plugins are built against.
enum SluiceSources {
    /// Finds it.
    ///
    /// - Parameter told: what the command line says; without it the environment's SLUICE_SDK, then what belongs to the
    ///   running program: the checkout that it was built in, or what was installed with it.
    /// - Returns: the folder's real path.
    static func find(_ told: String?) throws(UsageError) -> String {
        if let told { return try checked(told, "--sluice") }
        if let told = Syscalls.environment("SLUICE_SDK"), !told.isEmpty { return try checked(told, "SLUICE_SDK") }
        let program = Syscalls.realPath(Syscalls.ownPath) ?? ""
        var folder = program
        while let slash = folder.lastIndex(of: "/") {
            folder = String(folder[..<slash])
            for place in [folder, folder + "/share/sluice/sdk"] where isPackage(place) {
                return Syscalls.realPath(place) ?? place
            }
        }
        throw UsageError(
            message:
                "Sluice's sources are neither around \(program) nor installed with it; name their folder by `--sluice`")
    }

    private static func checked(_ path: String, _ origin: String) throws(UsageError) -> String {
        guard isPackage(path), let real = Syscalls.realPath(path) else {
            throw UsageError(message: "\(origin): there is no package `sluice` in `\(path)`")
        }
        return real
    }

    private static func isPackage(_ folder: String) -> Bool {
        guard let bytes = try? Syscalls.contents(of: folder + "/Package.swift", limit: 1 << 20) else { return false }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        return lines.contains { $0.drop { $0 == " " } == "name: \"sluice\"," }
    }
}
