internal import Engine

/// A name in a folder: what happens to it may change what a path leads to.
struct WatchPoint: Hashable {
    let folder: String
    let name: String

    /// As many links as the kernel follows itself.
    private static let mostLinks = 40

    /// All names on the way that a path takes, the links' targets included: whichever of them changes, the path may lead
    /// to another file. Ends at the first that does not exist.
    static func all(of path: String) -> [WatchPoint] {
        var points: [WatchPoint] = []
        var folder = path.hasPrefix("/") ? "/" : Syscalls.workingFolder()
        var rest = Array(path.split(separator: "/").reversed())
        var links = 0
        while let name = rest.popLast() {
            if name == "." { continue }
            if name == ".." {
                folder = parent(of: folder)
                continue
            }
            let point = WatchPoint(folder: folder, name: String(name))
            points.append(point)
            switch Syscalls.kind(of: point.path) {
            case .nothing: return points
            case .other: folder = point.path
            case .link(let target):
                links += 1
                if links > mostLinks { return points }
                if target.hasPrefix("/") { folder = "/" }
                rest += target.split(separator: "/").reversed()
            }
        }
        return points
    }

    var path: String { folder == "/" ? "/\(name)" : "\(folder)/\(name)" }

    private static func parent(of folder: String) -> String {
        guard let slash = folder.lastIndex(of: "/"), slash != folder.startIndex else { return "/" }
        return String(folder[..<slash])
    }
}
