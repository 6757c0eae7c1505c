internal import Engine
internal import FilterAPI

/// Has state that is read from files read again when they change. On the control thread.
///
/// The kernel tells of changes in the folders on the way to each file. Since it does not of all (files on other
/// machines), and may have lost some, the files are compared with what they were from time to time as well.
final class FileWatcher {
    /// Quiet after the last change before files are read: what belongs together is seldom written at one instant.
    private static let quiet: Nanoseconds = 100_000_000
    /// Files that do not come to rest are read all the same.
    private static let patience: Nanoseconds = 1_000_000_000
    private static let slowPeriod: Nanoseconds = 60_000_000_000
    private static let pollPeriod: Nanoseconds = 10_000_000_000

    /// One state, and what is known of its files.
    private struct Entry {
        weak var state: (any WatchedState)?
        var points: Set<WatchPoint> = []
        var seen: [String?] = []
        /// When it wants to be asked again, whatever the files do.
        var due: Nanoseconds?
        var changedAt: Nanoseconds?
        var firstChangeAt: Nanoseconds?
    }

    private let loop: EventLoop
    private let log: Log
    private var source: FolderSource?
    private var entries: [Entry] = []
    private var watches: [String: Int32] = [:]
    private var folders: [Int32: String] = [:]
    private var compareAt: Nanoseconds = 0
    private var comparePeriod = FileWatcher.slowPeriod
    private lazy var timer = CallbackTimer { [unowned self] in self.timerFired() }

    /// - Parameter usesKernel: false to compare files only, as where the kernel tells nothing.
    init(loop: EventLoop, log: Log, usesKernel: Bool = true) {
        self.loop = loop
        self.log = log
        guard usesKernel else {
            pollOnly()
            return
        }
        do throws(SystemFault) {
            source = try FolderSource(on: loop) { [unowned self] changes in self.changed(changes) }
        } catch {
            cannotWatch(error)
        }
    }

    /// How many folders are watched.
    var watchCount: Int { watches.count }

    /// Watches the files of a state, as long as somebody holds it.
    func watch(_ state: any WatchedState) {
        guard !entries.contains(where: { $0.state === state }) else { return }
        var entry = Entry(state: state)
        look(&entry, state)
        // When it expires, say: it has just been read, and is asked when it wants to be.
        entry.due = loop.now + Self.patience
        entries.append(entry)
        settle()
    }

    /// What all states say of their certificates.
    var certificates: [CertificateSummary] { entries.flatMap { $0.state?.certificates ?? [] } }

    /// Asks all states to look at their files now.
    func refreshAll() {
        for index in entries.indices { refresh(index) }
        settle()
    }

    // MARK: Changes

    private func changed(_ changes: [Syscalls.FolderChange]) {
        for change in changes {
            if change.watch < 0 {
                for index in entries.indices { note(index) }
                continue
            }
            guard let folder = folders[change.watch] else { continue }
            if change.isGone {
                folders[change.watch] = nil
                watches[folder] = nil
            }
            for index in entries.indices where concerns(change, folder, entries[index].points) { note(index) }
        }
        settle()
    }

    private func concerns(_ change: Syscalls.FolderChange, _ folder: String, _ points: Set<WatchPoint>) -> Bool {
        if change.name.isEmpty { return points.contains { $0.folder == folder } }
        return points.contains(WatchPoint(folder: folder, name: change.name))
    }

    private func note(_ index: Int) {
        entries[index].changedAt = loop.now
        if entries[index].firstChangeAt == nil { entries[index].firstChangeAt = loop.now }
    }

    private func timerFired() {
        let now = loop.now
        if now >= compareAt { compare() }
        for index in entries.indices where dueTime(entries[index]) <= now { refresh(index) }
        settle()
    }

    /// Notes what has changed without a word from the kernel.
    private func compare() {
        compareAt = loop.now + comparePeriod
        for index in entries.indices {
            guard let state = entries[index].state else { continue }
            if state.files.map(Syscalls.fileState) != entries[index].seen { note(index) }
        }
    }

    private func dueTime(_ entry: Entry) -> Nanoseconds {
        var due = entry.due ?? .max
        if let changed = entry.changedAt, let first = entry.firstChangeAt {
            due = min(due, changed + Self.quiet, first + Self.patience)
        }
        return due
    }

    private func refresh(_ index: Int) {
        guard let state = entries[index].state else { return }
        entries[index].changedAt = nil
        entries[index].firstChangeAt = nil
        // Before it reads: what changes meanwhile is another change.
        entries[index].seen = state.files.map(Syscalls.fileState)
        let next = state.refresh(Moment(seconds: Int64(Syscalls.wallClock() / 1_000_000_000)))
        entries[index].due = next.map { loop.now + max(Self.quiet, $0.wholeNanoseconds) }
        look(&entries[index], state)
    }

    /// Finds the way to the files as it is now.
    private func look(_ entry: inout Entry, _ state: any WatchedState) {
        let files = state.files
        entry.points = Set(files.flatMap(WatchPoint.all))
        if entry.seen.count != files.count { entry.seen = files.map(Syscalls.fileState) }
    }

    // MARK: Watches and time

    /// Forgets states that nobody holds any more, watches the folders that are left, and sets the timer.
    private func settle() {
        entries.removeAll { $0.state == nil }
        let wanted = Set(entries.flatMap { $0.points.map(\.folder) })
        for (folder, watch) in watches where !wanted.contains(folder) {
            source?.unwatch(watch)
            watches[folder] = nil
            folders[watch] = nil
        }
        for folder in wanted where watches[folder] == nil { add(folder) }
        if timer.isArmed { loop.cancel(timer) }
        guard !entries.isEmpty else { return }
        if compareAt == 0 { compareAt = loop.now + comparePeriod }
        let due = entries.reduce(compareAt) { min($0, dueTime($1)) }
        loop.schedule(timer, after: due > loop.now ? due - loop.now : 0)
    }

    private func add(_ folder: String) {
        guard let source else { return }
        do throws(SystemFault) {
            let watch = try source.watch(folder)
            // Two ways to one folder share a watch; its changes are known under the last.
            watches[folder] = watch
            folders[watch] = folder
        } catch {
            // A folder that is not there is seen when it comes, in the one above it.
            if error.isMissingFile { return }
            cannotWatch(error)
        }
    }

    private func cannotWatch(_ error: SystemFault) {
        guard comparePeriod != Self.pollPeriod else { return }
        pollOnly()
        log.write(
            .warning, "files cannot be watched, they are compared every 10 seconds",
            [("error", error.description), ("hint", "raise fs.inotify.max_user_watches or max_user_instances")])
    }

    private func pollOnly() {
        comparePeriod = Self.pollPeriod
        compareAt = loop.now + comparePeriod
    }
}
