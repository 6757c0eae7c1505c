internal import Engine
internal import FilterAPI

/// `sluice filter test`: runs a filter's tests, and says whether this Sluice would load what was built.
struct FilterTest: Equatable {
    var folder = "."
    /// For `swift test`.
    var arguments: [String] = []

    static func read(_ arguments: [String]) throws(UsageError) -> FilterTest {
        let own = arguments.prefix { $0 != "--" }
        var words = Words("filter test", Array(own), [])
        var folder: String?
        while let word = try words.next() {
            guard case .plain(let plain) = word, folder == nil else {
                throw UsageError(message: "`filter test` takes one folder; what is for `swift test` stands behind `--`")
            }
            folder = plain
        }
        return FilterTest(folder: folder ?? ".", arguments: Array(arguments.dropFirst(own.count + 1)))
    }

    /// Runs the command.
    ///
    /// - Returns: the exit code: that of the tests, or 1 where Sluice would not load it.
    func run() throws(UsageError) -> Int32 {
        let package = try FilterPackage(folder)
        let swift = try SwiftProgram.find()
        let code = try SwiftProgram.run(swift, ["test", "--package-path", folder] + arguments)
        guard code == 0 else { return code }
        let build = try SwiftProgram.run(swift, ["build", "--quiet", "--package-path", folder])
        guard build == 0 else { return build }
        do throws(PluginRefusal) {
            let plugins = try package.plugins(isDebug: true)
            if plugins.isEmpty {
                throw PluginRefusal("there is none", hint: "a plugin is a dynamic library that exports sluice_plugin")
            }
            for path in plugins {
                let types = try LoadedPlugin.at(path).types
                let names = types.map { "`\($0.manifest.id)`" }.joined(separator: ", ")
                Terminal.output("ok  this Sluice loads \(path), which brings \(names)\n")
            }
            return 0
        } catch {
            Terminal.error("sluice: the plugin in \(folder) cannot be used: \(error.message)\n")
            if let hint = error.hint { Terminal.error("  \(hint)\n") }
            return 1
        }
    }
}

extension SwiftProgram {
    /// Runs it to its end, in the foreground.
    ///
    /// - Returns: its exit code.
    static func run(_ path: String, _ arguments: [String]) throws(UsageError) -> Int32 {
        do throws(SystemFault) {
            return try ChildProcess.start(path, arguments, hasGroup: false).wait()
        } catch {
            throw UsageError(message: "`swift` cannot be started: \(error.description)")
        }
    }
}
