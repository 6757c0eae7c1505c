internal import Engine

/// Connections that only wait for their peer to close; each gets a second.
final class LingerList: LoopTimer {
    private static let limit: Nanoseconds = 1_000_000_000
    unowned(unsafe) let worker: Worker
    private var waiting: [(connection: Connection, due: Nanoseconds)] = []

    init(worker: Worker) {
        unsafe self.worker = worker
        super.init()
    }

    func add(_ connection: Connection) {
        waiting.append((connection, unsafe worker.loop.now + Self.limit))
        if !isArmed { unsafe worker.loop.schedule(self, after: Self.limit) }
    }

    override func fired() {
        let now = unsafe worker.loop.now
        for entry in waiting where entry.due <= now { entry.connection.close() }
        waiting.removeAll { $0.connection.flags.contains(.closed) }
        if let next = waiting.first {
            unsafe worker.loop.schedule(self, after: next.due > now ? next.due - now : 1)
        }
    }
}
