internal import Config

/// Where a part of the config stands, to be told to operators while it runs.
struct ConfigSpot: Sendable {
    /// Of the part itself.
    let place: Place
    /// What it holds; nil where it has no settings of its own.
    let node: Node?

    /// The line and column of one of its settings, or its own where the file does not have it.
    ///
    /// - Parameters:
    ///   - key: as written in the file, or a path.
    ///   - file: the file's name.
    func text(of key: String, file: String) -> String {
        var range = place.range
        if !key.isEmpty, let node {
            let found = node.find(key)
            if found.isExact { range = found.node.keyRange ?? found.node.range }
        }
        return "\(file):\(range.line):\(range.column)"
    }
}
