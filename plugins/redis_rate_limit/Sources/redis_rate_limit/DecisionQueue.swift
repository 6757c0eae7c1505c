import CHiredis
import FilterAPI
import Glibc
import Synchronization

/// Questions on their way to the thread that asks Redis; bounded.
final class DecisionQueue: Sendable {
    private struct State {
        var waiting: [Decision] = []
        /// The thread waits for the descriptor.
        var isAsleep = false
        var isStopped = false
    }

    /// What the thread is to do next.
    enum Work {
        case ask([Decision])
        /// Time has come, or the connection has something to say.
        case look
        case stop
    }

    private let state = Mutex(State())
    private let places = LimitedCount()
    private let most: Int
    private let bell: Int32
    private let down = Atomic(false)

    /// - Returns: nil where the process has no descriptor left.
    init?(most: Int) {
        self.most = most
        bell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        if bell < 0 { return nil }
    }

    deinit { close(bell) }

    /// Whether Redis cannot be reached: nobody need wait to be told so.
    var isDown: Bool {
        get { down.load(ordering: .relaxed) }
        set { down.store(newValue, ordering: .relaxed) }
    }

    /// How many have been put in, and were not given back.
    var count: Int { places.count }

    /// Puts a question in; from any thread.
    ///
    /// - Returns: why not, where it was not.
    func add(_ decision: Decision) -> Failure? {
        if isDown { return .unavailable }
        guard places.take(limit: most) else { return .overflow }
        let rings = state.withLock { state in
            state.waiting.append(decision)
            defer { state.isAsleep = false }
            return state.isAsleep
        }
        if rings { ring() }
        return nil
    }

    /// The thread has dealt with one.
    func give() { places.give() }

    /// Lets the thread end.
    func stop() {
        state.withLock { $0.isStopped = true }
        ring()
    }

    private func ring() {
        var one: UInt64 = 1
        _ = unsafe write(bell, &one, 8)
    }

    /// Waits for something to do; on the thread.
    ///
    /// - Parameters:
    ///   - connection: a descriptor on which nothing is expected; -1 for none.
    ///   - time: for how long, in nanoseconds; nil for ever.
    func next(watching connection: Int32, for time: UInt64?) -> Work {
        if let work = take() { return work }
        var ready = [
            pollfd(fd: bell, events: Int16(POLLIN), revents: 0),
            pollfd(fd: connection, events: Int16(POLLIN), revents: 0),
        ]
        // Rounded up, so that it is not woken for nothing.
        let milliseconds = time.map { Int32(clamping: $0 / 1_000_000 + 1) } ?? -1
        _ = unsafe poll(&ready, 2, milliseconds)
        var count: UInt64 = 0
        _ = unsafe read(bell, &count, 8)
        return take() ?? .look
    }

    private func take() -> Work? {
        state.withLock { state in
            if state.isStopped { return .stop }
            guard !state.waiting.isEmpty else {
                state.isAsleep = true
                return nil
            }
            state.isAsleep = false
            var batch: [Decision] = []
            swap(&batch, &state.waiting)
            return .ask(batch)
        }
    }
}
