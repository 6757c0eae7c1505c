internal import Engine
internal import FilterAPI

/// `sluice filter new`: writes the package of a filter that builds, with a test, a manual and a config.
struct FilterCreation: Equatable {
    /// What flows through the filter.
    enum Kind: String, CaseIterable {
        case http
        case byte
        case terminal
    }

    let name: FilterName
    var kind = Kind.http
    var isAsync = false
    /// Where to; the name in the working folder unless said.
    var folder: String?
    /// Where Sluice's sources are, where the command line says so.
    var sluice: String?

    static func read(_ arguments: [String]) throws(UsageError) -> FilterCreation {
        var words = Words("filter new", arguments, ["--kind", "--async", "--at", "--sluice"])
        var text: String?
        var (kind, isAsync) = (Kind.http, false)
        var (folder, sluice): (String?, String?)
        while let word = try words.next() {
            switch word {
            case .plain(let plain):
                guard text == nil else { throw UsageError(message: "`filter new` takes one name") }
                text = plain
            case .option("--kind"): kind = try words.word()
            case .option("--at"): folder = try words.value()
            case .option("--sluice"): sluice = try words.value()
            case .option: isAsync = true
            }
        }
        guard let text else { throw UsageError(message: "`filter new` needs a name, for example `add_header`") }
        if isAsync && kind != .http { throw UsageError(message: "`--async` is for filters of the kind http") }
        let name = try FilterName(text, builtins: BuiltinFilters.types.map { $0.manifest.id })
        return FilterCreation(name: name, kind: kind, isAsync: isAsync, folder: folder, sluice: sluice)
    }

    /// Runs the command.
    ///
    /// - Returns: the exit code.
    func run() throws(UsageError) -> Int32 {
        let sources = try SluiceSources.find(sluice)
        let folder = folder ?? name.id
        do throws(SystemFault) {
            if let old = try write(PackageTemplate(self, sluice: sources).files, to: folder) {
                Terminal.error("sluice: \(old) is there already, and nothing is written over; `--at` says where else\n")
                return 1
            }
        } catch {
            Terminal.error("sluice: \(folder) cannot be written: \(error.description)\n")
            return 1
        }
        Terminal.output(
            """
            \(folder) has the filter `\(name.id)`: the code is in Sources/\(name.id)/Filter.swift. Now build it and try it:

              sluice filter run \(folder)

            """)
        return 0
    }

    /// Writes all of the files, or none where something is in the way.
    ///
    /// - Returns: what is in the way; nil where all is written.
    private func write(_ files: [(path: String, text: String)], to folder: String) throws(SystemFault) -> String? {
        if FileProbe.exists(folder), try Syscalls.names(in: folder)?.isEmpty != true { return folder }
        let files = files.map { (path: "\(folder)/\($0.path)", text: $0.text) }
        if let old = files.map(\.path).first(where: FileProbe.exists) { return old }
        for (path, text) in files {
            try Syscalls.makeFolders(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
            try Syscalls.writeNew(path, text)
        }
        return nil
    }
}
