import FilterAPI
import Synchronization

/// A Redis, as workers see it: shared by all of them, and by filters that have the same one. Nothing is connected before the
/// first question, so that a config can be checked without it.
final class RedisStore: Sendable {
    private let server: RedisServer
    private let queue: DecisionQueue
    private let log: FilterLog
    private let isStarted = Atomic(false)

    init(_ server: RedisServer, maxPending: Int, _ log: FilterLog) throws(ConfigurationFault) {
        guard let queue = DecisionQueue(most: maxPending) else {
            throw ConfigurationFault("there is no descriptor left", key: "server")
        }
        self.server = server
        self.queue = queue
        self.log = log
    }

    deinit { queue.stop() }

    /// How many questions have no answer.
    var pending: Int { queue.count }

    /// Puts a question to Redis; it is finished in any case, here or later.
    func ask(_ decision: Decision) {
        if let failure = queue.add(decision) { return decision.finish(.failed(failure)) }
        guard !isStarted.exchange(true, ordering: .relaxed) else { return }
        guard !RedisThread.start(server, queue, log) else { return }
        isStarted.store(false, ordering: .relaxed)
    }
}
