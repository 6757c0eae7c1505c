internal import Engine

/// What a package is built from, as it stands on the disk: to know whether something has changed.
struct SourceFiles: Equatable {
    /// Each file, with words that change when it does.
    let states: [String: String]
    /// The folders that they are in.
    let folders: [String]

    /// - Parameter package: its folder.
    init(of package: String) {
        var (states, folders): ([String: String], [String]) = ([:], [])
        for name in ["Package.swift", "Package.resolved"] {
            states[name] = Syscalls.fileState("\(package)/\(name)")
        }
        var open = ["\(package)/Sources"]
        while let folder = open.popLast() {
            guard let names = try? Syscalls.names(in: folder) else { continue }
            folders.append(folder)
            for name in names {
                let path = "\(folder)/\(name)"
                if (try? Syscalls.fileIdentity(path)) ?? nil == nil {
                    open.append(path)
                } else {
                    states[path] = Syscalls.fileState(path)
                }
            }
        }
        self.states = states
        self.folders = folders
    }
}
