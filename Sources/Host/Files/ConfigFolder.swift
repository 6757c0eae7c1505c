/// The folder that paths in a config file are relative to.
struct ConfigFolder: Sendable {
    private let prefix: String

    /// - Parameter file: the config file; nil where there is none, and paths begin at the working folder.
    init(of file: String?) {
        guard let file, let slash = file.lastIndex(of: "/") else {
            prefix = ""
            return
        }
        prefix = String(file[...slash])
    }

    /// A path as the config file means it.
    func resolve(_ path: String) -> String { path.hasPrefix("/") ? path : prefix + path }
}
