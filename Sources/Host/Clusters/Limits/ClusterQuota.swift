internal import Engine
internal import FilterAPI
internal import Synchronization

/// What all workers together have of one cluster; kept over reloads.
///
/// A connection belongs to one worker. Where the limit leaves a worker none, it asks the others to close one that they
/// keep without a request, and is told when one has gone.
final class ClusterQuota: Sendable {
    let connections = LimitedCount()
    let pending = LimitedCount()
    let requests = LimitedCount()
    let retries = LimitedCount()
    /// How many pools have streams that wait for room.
    private let waiting = Atomic<Int>(0)
    private let members = Mutex<[Member]>([])

    /// That of a cluster, as long as somebody has it.
    static func shared(cluster name: String) -> ClusterQuota {
        SharedState.process.value("cluster.\(name)") { ClusterQuota() }
    }

    /// One worker's pool of the cluster, as the others know it.
    final class Member: Sendable {
        fileprivate let poster: LoopPoster
        private let idle = Atomic<Int>(0)
        fileprivate let isWaiting = Atomic<Bool>(false)
        // SAFETY: set before anybody else has the member, and looked at on the pool's own thread only.
        nonisolated(unsafe) weak var pool: ClusterPool?

        init(on poster: LoopPoster) {
            unsafe pool = nil
            self.poster = poster
        }

        /// How many connections the pool keeps without a request; set on its own worker only.
        var idleCount: Int {
            get { idle.load(ordering: .relaxed) }
            set { idle.store(newValue, ordering: .relaxed) }
        }

        /// Runs something on the pool's thread, if the pool is still there.
        fileprivate func post(_ body: @escaping @Sendable (ClusterPool) -> Void) {
            poster.post { if let pool = unsafe self.pool { body(pool) } }
        }
    }

    /// Whether a pool waits for a connection of another one to go.
    var isAwaited: Bool { waiting.load(ordering: .sequentiallyConsistent) > 0 }

    func join(_ member: Member) { members.withLock { $0.append(member) } }

    func leave(_ member: Member) { members.withLock { $0.removeAll { $0 === member } } }

    /// A pool's streams begin to wait for room, or cease to.
    func change(_ member: Member, isWaiting: Bool) {
        guard member.isWaiting.exchange(isWaiting, ordering: .sequentiallyConsistent) != isWaiting else { return }
        if isWaiting {
            waiting.add(1, ordering: .sequentiallyConsistent)
        } else {
            waiting.subtract(1, ordering: .sequentiallyConsistent)
        }
    }

    /// Asks another pool for one of the connections that it keeps without a request.
    func askForRoom(_ asking: Member) {
        let giver = members.withLock { members in
            members.first { $0 !== asking && $0.idleCount > 0 }
        }
        giver?.post { _ = $0.makeRoom() }
    }

    /// A connection has gone: pools that wait for room look again.
    func roomMade(by member: Member) {
        guard isAwaited else { return }
        let others = members.withLock { members in
            members.filter { $0 !== member && $0.isWaiting.load(ordering: .relaxed) }
        }
        for other in others { other.post { $0.serveLine() } }
    }
}
