internal import Config
internal import Engine
internal import FilterAPI
internal import Glibc

/// The control thread: signals, reloads, names, and the beginning and end of the workers.
final class Control {
    /// How long the end may wait for whoever reads the logs.
    private static let logPatience: Nanoseconds = 2_000_000_000
    private static let handled = [SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1]

    let file: String?
    let options: RunOptions
    let log: Log
    private let loop: EventLoop
    let registry: StatRegistry
    let limit: ConnectionLimit
    private(set) var workers: [Worker] = []
    private var threads: [WorkerThread] = []
    private(set) var generation: Generation
    private var resolver: Resolver
    let files: FileWatcher
    private(set) var isDraining = false
    /// It was told to end by a signal, and not only to drain.
    private var isToldToEnd = false
    private var ending: Drain?
    private var exitCode: Int32 = 0
    /// Set once all workers have taken the first config over.
    private(set) var isInPlace = false
    /// Listeners were stopped without the end of the process in sight.
    var isNotAccepting = false
    /// Somebody wants no traffic to come here.
    var isFailedOnPurpose = false
    private(set) var lastRejection: Rejection?
    private(set) var configTime: UInt64 = 0
    private let desk: AdminDesk
    private var office: AdminOffice?
    let generationStats: GenerationStats
    let serverStats: StatSlots<ServerStat>
    let processStats: StatSlots<ProcessStat>
    let configStats: StatSlots<ConfigStat>
    private var signals: SignalSource?
    private var watchdog: Watchdog?
    private lazy var deadline = CallbackTimer { [unowned self] in self.drainTimeout() }

    /// Serves a plan until it is told to stop.
    ///
    /// - Returns: the exit code.
    static func serve(
        _ plan: GenerationPlan, file: String?, _ options: RunOptions, warnings: Diagnostics,
        demo: DemoCertificates? = nil
    ) -> Int32 {
        let log = Log(
            level: options.logLevel ?? plan.settings.log.level, format: options.logFormat ?? plan.settings.log.format)
        do {
            Allocator.setUp()
            CrashReport.prepare()
            Syscalls.reserveStandardDescriptors()
            Signals.ignorePipe()
            Signals.block(Self.handled)
            let control = try Control(plan, file: file, options, log)
            control.report(warnings)
            control.report(plan.plugins)
            return try control.run(plan, diagnostics: warnings, demo: demo)
        } catch {
            log.write(.error, "cannot start", [("error", "\(error)")])
            return 1
        }
    }

    private init(_ plan: GenerationPlan, file: String?, _ options: RunOptions, _ log: Log) throws {
        self.file = file
        self.options = options
        self.log = log
        loop = try EventLoop()
        let count =
            options.workers ?? (plan.settings.workers > 0 ? plan.settings.workers : Processors.available())
        registry = StatRegistry(workers: count)
        desk = AdminDesk(loop.poster, log)
        generationStats = GenerationStats(registry)
        serverStats = StatSlots(registry.lastingGroup(.server, ServerStat.schema, .control), slot: 0)
        processStats = StatSlots(registry.lastingGroup(.process, ProcessStat.schema, .control), slot: 0)
        configStats = StatSlots(registry.lastingGroup(.config, ConfigStat.schema, .control), slot: 0)
        serverStats.set(.concurrency, count)
        registry.gauge(.build, BuildStat.entry).set(1)
        resolver = try Resolver(loop: loop, servers: plan.settings.dns.servers, log: log, registry: registry)
        files = FileWatcher(loop: loop, log: log)
        limit = ConnectionLimit(Self.connectionLimit(plan.settings))
        generation = Generation(log: log, writer: nil, stats: generationStats)
        for index in 0..<count {
            workers.append(
                try Worker(
                    index: index, registry: registry, log: log, connectionLimit: limit, files: files,
                    folder: ConfigFolder(of: file), desk: desk))
        }
        watchdog = Watchdog(workers, loop: loop, log: log, registry: registry)
        let office = AdminOffice(self, registry)
        self.office = office
        desk.open(office)
    }

    private static func connectionLimit(_ settings: TopSettings) -> Int {
        if settings.maxConnections > 0 { return settings.maxConnections }
        // A client's connection may need one of its own towards an upstream.
        return max(16, (Syscalls.fileDescriptorLimit() - 64) / 2)
    }

    private func run(_ plan: GenerationPlan, diagnostics: Diagnostics, demo: DemoCertificates?) throws -> Int32 {
        let isInstalled = generation.install(
            plan, on: workers, resolver: resolver, diagnostics: diagnostics
        ) { [unowned self] in self.announce(plan, demo: demo) }
        guard isInstalled else {
            Terminal.error(Terminal.lines(diagnostics.rendered(as: .text)))
            return 1
        }
        noteConfig(isGood: true)
        signals = try SignalSource(Self.handled, on: loop) { [unowned self] signal in
            self.handle(signal)
        }
        for worker in workers {
            let handover = Handover(worker)
            threads.append(
                try WorkerThread.start(name: "sluice-\(worker.index)") {
                    unsafe handover.value.calls.adopt()
                    unsafe handover.value.loop.run()
                })
        }
        generationStats.workersStarted()
        watchdog?.watch(plan.settings.watchdog)
        loop.run()
        for thread in threads { thread.join() }
        generation.finish(on: loop, within: Self.logPatience)
        log.write(.info, "stopped")
        return exitCode
    }

    private func announce(_ plan: GenerationPlan, demo: DemoCertificates?) {
        isInPlace = true
        report(generation.boundAddresses)
        log.write(
            .info, "ready",
            [("version", SluiceMain.version), ("workers", String(workers.count)), ("config", plan.summary)])
        if let demo { Terminal.output(DemoConfig.welcome(generation.boundAddresses, demo)) }
    }

    private func report(_ addresses: [(listener: String, address: String)]) {
        for (listener, address) in addresses {
            log.write(.info, "listening", [("listener", listener), ("address", address)])
        }
    }

    private func report(_ plugins: [PluginReport]) {
        for plugin in plugins { plugin.write(to: log) }
    }

    private func report(_ diagnostics: Diagnostics) {
        for warning in diagnostics.sorted where warning.severity == .warning {
            log.write(.warning, warning.message, [("line", "\(warning.place?.range.line ?? 0)")])
        }
    }

    // MARK: Signals

    private func handle(_ signal: Int32) {
        switch signal {
        case SIGHUP: _ = reload()
        case SIGUSR1: reopenLogs()
        case SIGQUIT: drain()
        default:
            // Whoever has made it drain, `sluice drain` perhaps, has not said that it takes too long.
            if isToldToEnd {
                log.write(.warning, "stopping now", [("reason", "second signal")])
                finish()
            }
            isToldToEnd = true
            drain()
        }
    }

    func reopenLogs() {
        generation.reopenLogs()
        log.write(.info, "log files opened again")
    }

    /// Reads the file again.
    ///
    /// - Returns: why it is not used; nil where it is.
    func reload() -> String? {
        guard let file else {
            log.write(.warning, "nothing to reload", [("reason", "there is no config file")])
            return "there is no config file\n"
        }
        guard !isDraining else {
            log.write(.warning, "not reloading", [("reason", "shutting down")])
            return "shutting down\n"
        }
        // Listeners that a config adds would accept, while those that are there never will again.
        guard !isNotAccepting else {
            log.write(.warning, "not reloading", [("reason", "listeners were drained")])
            return "listeners were drained: only a restart opens them again\n"
        }
        // Whoever sends the signal because of new certificates need not wait for the kernel to tell of them.
        defer { files.refreshAll() }
        let diagnostics = Diagnostics(file: file)
        var loader = ConfigLoader(registry: FilterRegistry(BuiltinFilters.types), diagnostics: diagnostics)
        let before = generation.boundAddresses
        if let plan = loader.load(file) {
            checkUnchangeable(plan, diagnostics)
            if !diagnostics.hasErrors,
                generation.install(
                    plan, on: workers, resolver: resolver, diagnostics: diagnostics,
                    whenInPlace: { [unowned self] in self.reloaded(plan, diagnostics, before) })
            {
                noteConfig(isGood: true)
                return nil
            }
        }
        let first = diagnostics.sorted.first { $0.severity == .error }
        let line = first?.place.map { "\(file):\($0.range.line):\($0.range.column)" } ?? file
        let details = diagnostics.rendered(as: .text)
        log.write(
            .error, "config refused, the running one stays",
            [("place", line), ("error", first?.message ?? "unknown"), ("details", details)])
        lastRejection = Rejection(
            time: Syscalls.wallClock(), place: line, message: first?.message ?? "unknown", details: details)
        noteConfig(isGood: false)
        return Terminal.lines(details)
    }

    private func noteConfig(isGood: Bool) {
        let now = Syscalls.wallClock()
        configStats.set(.lastSuccessful, isGood ? 1 : 0)
        configStats.set(.lastAttempt, Int(now / 1_000_000_000))
        guard isGood else { return configStats.add(.rejected) }
        if configStats.value(.generation) > 0 { configStats.add(.reloads) }
        configStats.add(.generation)
        configTime = now
        lastRejection = nil
    }

    private func reloaded(
        _ plan: GenerationPlan, _ diagnostics: Diagnostics, _ before: [(listener: String, address: String)]
    ) {
        watchdog?.watch(plan.settings.watchdog)
        resolver.change(servers: plan.settings.dns.servers)
        limit.change(to: Self.connectionLimit(plan.settings))
        let level = options.logLevel ?? plan.settings.log.level
        // The outcome is told at the chattier of the two levels.
        if level.rank < log.level { log.change(level: level) }
        report(generation.boundAddresses.filter { new in !before.contains { $0 == new } })
        report(diagnostics)
        report(plan.plugins)
        log.write(.info, "config reloaded", [("config", plan.summary)])
        log.change(level: level)
    }

    /// What cannot be changed while running is refused by name, and nothing else of the file is used either.
    private func checkUnchangeable(_ plan: GenerationPlan, _ diagnostics: Diagnostics) {
        let running = generation.plan?.settings
        if let running, plan.settings.workers != running.workers {
            diagnostics.error(
                .needsRestart, "`workers` cannot be changed while running", at: nil, hint: "restart Sluice")
        }
    }

    // MARK: The end

    func drain() {
        guard !isDraining else { return }
        isDraining = true
        let timeout = generation.plan?.settings.drainTimeout ?? .seconds(30)
        log.write(.info, "draining", [("timeout", DurationText.write(timeout))])
        loop.schedule(deadline, after: timeout.wholeNanoseconds)
        let drain = Drain(workers, on: loop, log, outlive: generation.plan?.outlive) { [unowned self] in self.finish() }
        ending = drain
        drain.begin()
    }

    private func drainTimeout() {
        log.write(.warning, "drain timeout is over, closing what is left")
        finish()
    }

    private func finish() {
        for worker in workers {
            let handover = Handover(worker)
            worker.loop.poster.post {
                unsafe handover.value.abort()
                unsafe handover.value.loop.stop()
            }
        }
        loop.stop()
    }
}

/// A config that was refused while another one was running.
struct Rejection {
    /// When, in nanoseconds since 1970.
    let time: UInt64
    /// The file, with line and column where they are known.
    let place: String
    let message: String
    /// All that is wrong, as a person reads it.
    let details: String
}
