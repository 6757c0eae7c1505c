internal import Engine
internal import FilterAPI

/// Looks, from the control thread, whether a worker has been in one turn of its loop for too long, and says which filter
/// it is in.
final class Watchdog {
    private let workers: [Worker]
    private let loop: EventLoop
    private let log: Log
    private let stats: StatSlots<WatchdogStat>
    private var miss: Nanoseconds = 0
    private var megamiss: Nanoseconds = 0
    private var seen: [Seen]
    private lazy var timer = CallbackTimer { [unowned self] in self.look() }

    /// The turn of a worker that was complained of last.
    private struct Seen {
        var turn: Nanoseconds = 0
        var isMega = false
    }

    init(_ workers: [Worker], loop: EventLoop, log: Log, registry: StatRegistry) {
        self.workers = workers
        self.loop = loop
        self.log = log
        stats = StatSlots(registry.lastingGroup(.server, WatchdogStat.schema, .control), slot: 0)
        seen = Array(repeating: Seen(), count: workers.count)
    }

    /// Begins to look, or goes on by other limits.
    func watch(_ settings: WatchdogSettings) {
        miss = settings.miss.wholeNanoseconds
        megamiss = settings.megamiss.wholeNanoseconds
        if timer.isArmed { loop.cancel(timer) }
        if miss > 0 { loop.schedule(timer, after: miss / 2) }
    }

    private func look() {
        let now = Syscalls.timeNow()
        for worker in workers { look(at: worker, now) }
        loop.schedule(timer, after: miss / 2)
    }

    private func look(at worker: Worker, _ now: Nanoseconds) {
        let since = worker.loop.pulse.busySince
        guard since > 0, now > since, now - since >= miss else { return }
        let isNew = seen[worker.index].turn != since
        if isNew {
            seen[worker.index] = Seen(turn: since)
            stats.add(.miss)
        }
        let isMega = now - since >= megamiss && !seen[worker.index].isMega
        if isMega {
            seen[worker.index].isMega = true
            stats.add(.megaMiss)
        }
        if isNew || isMega { report(worker, blockedFor: now - since) }
    }

    private func report(_ worker: Worker, blockedFor time: Nanoseconds) {
        var fields = [("worker", String(worker.index)), ("for_ms", String(time / 1_000_000))]
        if let (label, phase) = worker.calls.present {
            fields += [("filter", label.stage), ("of", label.owner), ("at", "\(phase.text)")]
            if let plugin = label.plugin { fields.append(("plugin", plugin)) }
        }
        log.write(.warning, "a worker is blocked", fields)
    }
}

/// What the watchdog has seen, by Envoy's names.
enum WatchdogStat: Int, StatKey {
    case miss, megaMiss

    static let entries: [StatSchema.Entry] = [
        .init(.counter("watchdog_miss", "Turns of a worker's loop that were longer than the watchdog's `miss`.")),
        .init(.counter("watchdog_mega_miss", "Those that were longer than `megamiss`.")),
    ]

    static let schema = StatSchema(entries)
}
