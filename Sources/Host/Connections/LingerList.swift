internal import Engine

/// Connections that only wait for their peer to close; each gets a second, or two.
///
/// A connection that closes takes itself off, so that a flood of short connections does not pile up here.
final class LingerList: LoopTimer {
    private static let limit: Nanoseconds = 1_000_000_000
    let worker: Worker
    private var waiting: [(connection: Connection, due: Nanoseconds)] = []

    init(worker: Worker) {
        self.worker = worker
        super.init()
    }

    func add(_ connection: Connection) {
        connection.lingerIndex = waiting.count
        waiting.append((connection, worker.loop.now + Self.limit))
        if !isArmed { worker.loop.schedule(self, after: Self.limit) }
    }

    /// Takes a connection off; the last one moves into its place.
    func remove(_ connection: Connection) {
        let index = connection.lingerIndex
        guard index >= 0 else { return }
        connection.lingerIndex = -1
        let last = waiting.removeLast()
        guard index < waiting.count else { return }
        last.connection.lingerIndex = index
        waiting[index] = last
    }

    override func fired() {
        let now = worker.loop.now
        // From the end, as each one that closes takes itself off.
        var index = waiting.count
        while index > 0 {
            index -= 1
            if index < waiting.count, waiting[index].due <= now { waiting[index].connection.close() }
        }
        if !waiting.isEmpty { worker.loop.schedule(self, after: Self.limit) }
    }
}
