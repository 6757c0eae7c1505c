internal import Engine

/// Keeps a proxy running that has a filter as its sources are now.
///
/// The proxy is a process of its own: a filter that traps ends that one, and the next build starts it anew. What does not
/// build, and a config that is refused, leaves running what runs.
final class FilterRunner {
    /// What belongs together is seldom saved at one instant.
    private static let quiet: Nanoseconds = 100_000_000

    private let package: FilterPackage
    private let config: String
    private let swift: String
    private let isDebug: Bool
    private let loop: EventLoop
    private var folders: FolderSource?
    private var signals: SignalSource?
    private var watched: Set<String> = []
    private lazy var timer = CallbackTimer { [unowned self] in self.lookAround() }

    private var sources: SourceFiles
    private var configState: String?
    private var build: ChildProcess?
    private var buildBegan: Nanoseconds = 0
    /// Something was saved while it was being built.
    private var isStale = false
    private var hasBuilt = false
    private var proxy: ChildProcess?
    private var log: ProxyLog?
    private var isStopping = false

    init(_ package: FilterPackage, config: String, swift: String, isDebug: Bool) throws(SystemFault) {
        self.package = package
        self.config = config
        self.swift = swift
        self.isDebug = isDebug
        loop = try EventLoop()
        sources = SourceFiles(of: package.folder)
        configState = Syscalls.fileState(config)
    }

    /// Runs until a signal ends it.
    ///
    /// - Returns: the exit code.
    func run() throws(SystemFault) -> Int32 {
        signals = try SignalSource(
            [SignalNumber.child, SignalNumber.interrupt, SignalNumber.terminate], on: loop
        ) { [unowned self] in self.handle($0) }
        folders = try FolderSource(on: loop) { [unowned self] _ in self.somethingChanged() }
        try watch()
        startBuild()
        loop.run()
        return 0
    }

    // MARK: Files

    private func watch() throws(SystemFault) {
        let configFolder = config.lastIndex(of: "/").map { String(config[..<$0]) } ?? "."
        for folder in sources.folders + [package.folder, configFolder.isEmpty ? "/" : configFolder]
        where watched.insert(folder).inserted {
            _ = try folders?.watch(folder)
        }
    }

    private func somethingChanged() {
        if timer.isArmed { loop.cancel(timer) }
        loop.schedule(timer, after: Self.quiet)
    }

    /// Builds what has changed; a config alone is only read again.
    private func lookAround() {
        guard !isStopping else { return }
        let now = SourceFiles(of: package.folder)
        let state = Syscalls.fileState(config)
        let (isOtherCode, isOtherConfig) = (now != sources, state != configState)
        sources = now
        configState = state
        do throws(SystemFault) { try watch() } catch { say("what is new is not watched: \(error.description)") }
        if isOtherCode {
            if build == nil { startBuild() } else { isStale = true }
        } else if isOtherConfig, build == nil {
            refreshProxy()
        }
    }

    // MARK: Builds

    private func startBuild() {
        isStale = false
        buildBegan = Syscalls.timeNow()
        say(hasBuilt ? "building again" : "building \(package.folder); the first time takes a while")
        let words = ["build", "--package-path", package.folder, "-c", FilterPackage.configuration(isDebug: isDebug)]
        do throws(SystemFault) {
            build = try ChildProcess.start(swift, words + (hasBuilt ? ["--quiet"] : []), hasGroup: true)
        } catch {
            say("`swift` cannot be started: \(error.description)")
        }
    }

    private func buildEnded(_ code: Int32) {
        build = nil
        guard !isStopping else { return }
        if isStale { return startBuild() }
        let time = (Syscalls.timeNow() - buildBegan) / 100_000_000
        guard code == 0 else {
            let next = proxy == nil ? "save a file to try again" : "what ran before goes on"
            return say("it does not build; \(next)")
        }
        hasBuilt = true
        say("built in \(time / 10).\(time % 10) s")
        refreshProxy()
    }

    // MARK: The proxy

    private func refreshProxy() {
        if let proxy { return proxy.send(SignalNumber.hangUp) }
        guard hasBuilt else { return }
        do throws(SystemFault) {
            let log = try ProxyLog(on: loop) { [unowned self] in self.welcome($0) }
            defer { log.closeWriting() }
            proxy = try ChildProcess.start(
                Syscalls.ownPath, ["run", "-c", config, "--log-format", "text"], hasGroup: true, error: log.writing)
            self.log = log
        } catch {
            say("the proxy cannot be started: \(error.description)")
        }
    }

    private func welcome(_ addresses: [String: String]) {
        let first = addresses.filter { $0.key != ListenerPlan.adminName }.min { $0.key < $1.key }?.value
        var text = "\nIt runs. Try, in another terminal:\n\n"
        if let first { text += "  curl -i http://\(first)/\n" }
        if let admin = addresses[ListenerPlan.adminName] {
            text += "  http://\(admin)/    what it does, in a browser\n"
        }
        Terminal.error(text + "\nSave a file to build it again. Ctrl-C ends it.\n\n")
    }

    private func proxyEnded(_ code: Int32) {
        proxy = nil
        guard !isStopping else { return }
        say("the proxy has ended (\(code)); save a file to start it again")
    }

    // MARK: Signals

    private func handle(_ signal: Int32) {
        guard signal == SignalNumber.child else { return stop(signal) }
        while let (id, code) = ChildProcess.ended() {
            if id == build?.id {
                buildEnded(code)
            } else if id == proxy?.id {
                proxyEnded(code)
            }
        }
        if isStopping { finishIfAlone() }
    }

    private func stop(_ signal: Int32) {
        isStopping = true
        build?.send(SignalNumber.terminate)
        proxy?.send(SignalNumber.terminate)
        finishIfAlone()
    }

    private func finishIfAlone() {
        guard build == nil, proxy == nil else { return }
        log?.drain()
        loop.stop()
    }

    private func say(_ text: String) { Terminal.error("sluice: \(text)\n") }
}
