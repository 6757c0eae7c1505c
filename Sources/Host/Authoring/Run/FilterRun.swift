internal import Engine

/// `sluice filter run`: builds a filter, serves a config with it, and does so again whenever a file is saved.
struct FilterRun: Equatable {
    var folder = "."
    /// The config file; sluice.yaml of the package unless said.
    var config: String?
    var port: UInt16?
    var isDebug = false

    static func read(_ arguments: [String]) throws(UsageError) -> FilterRun {
        var words = Words("filter run", arguments, ["--port", "-c", "--config", "--debug"])
        var run = FilterRun()
        var folder: String?
        while let word = try words.next() {
            switch word {
            case .plain(let plain):
                guard folder == nil else { throw UsageError(message: "`filter run` takes one folder") }
                folder = plain
            case .option("--port"): run.port = try words.port()
            case .option("--debug"): run.isDebug = true
            case .option: run.config = try words.value()
            }
        }
        run.folder = folder ?? "."
        return run
    }

    /// Runs until it is told to stop.
    ///
    /// - Returns: the exit code.
    func run() throws(UsageError) -> Int32 {
        let package = try FilterPackage(folder)
        let file = config ?? folder + "/sluice.yaml"
        guard FileProbe.exists(file) else {
            throw UsageError(message: "there is no `\(file)` to serve; `-c FILE` names another config")
        }
        let swift = try SwiftProgram.find()
        Syscalls.setEnvironment("SLUICE_BUILD", FilterPackage.configuration(isDebug: isDebug))
        Syscalls.setEnvironment("SLUICE_PORT", String(port ?? (FreePort.isFree(8080) ? 8080 : 0)))
        Syscalls.setEnvironment("SLUICE_ADMIN_PORT", FreePort.isFree(9901) ? "9901" : "0")
        Signals.ignorePipe()
        Signals.block([SignalNumber.child, SignalNumber.interrupt, SignalNumber.terminate])
        do throws(SystemFault) {
            return try FilterRunner(package, config: file, swift: swift, isDebug: isDebug).run()
        } catch {
            Terminal.error("sluice: \(error.description)\n")
            return 1
        }
    }
}
