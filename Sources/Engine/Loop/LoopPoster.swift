internal import Glibc
internal import Synchronization

/// The door through which other threads reach a loop.
///
/// Keep it as long as you like: it outlives the loop.
public final class LoopPoster: Sendable {
    enum Job: Sendable {
        case plain(@Sendable () -> Void)
        case withLoop(@Sendable (EventLoop) -> Void)
    }

    /// The eventfd that wakes the loop.
    ///
    /// Owned by the poster, so that a late post never writes to someone else's file.
    let wakeFD: Int32
    private let jobs = Mutex<[Job]>([])
    /// The thread that the loop turns on, as the system numbers it.
    private let thread = Atomic<UInt>(UInt(pthread_self()))

    init() throws(SystemFault) {
        wakeFD = try Syscalls.eventfd()
    }

    deinit {
        Syscalls.close(wakeFD)
    }

    /// Runs `job` on the loop's thread at its next turn.
    ///
    /// Jobs run in the order in which they were posted.
    ///
    /// Callable from any thread. A job posted to a loop that never turns again does not run; it is released with the poster.
    public func post(_ job: @escaping @Sendable () -> Void) {
        add(.plain(job))
    }

    /// Like ``post(_:)``, for a job that needs the loop.
    public func post(withLoop job: @escaping @Sendable (EventLoop) -> Void) {
        add(.withLoop(job))
    }

    /// Whether this is the thread that the loop turns on: the one that has made it, until it runs on another.
    public var isCurrent: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// The loop runs on this thread from now on.
    func settleHere() { thread.store(UInt(pthread_self()), ordering: .relaxed) }

    /// Moves a value that is not Sendable to the loop's thread and runs `job` with it there.
    public func post<Value>(sending value: sending Value, _ job: @escaping @Sendable (Value) -> Void) {
        // SAFETY: `sending` gave us the only reference, and the job that takes it over runs once, on one thread.
        nonisolated(unsafe) let moved = value
        add(.plain { unsafe job(moved) })
    }

    /// Makes the loop's ``EventLoop/run()`` return after its next turn.
    public func stop() {
        add(.withLoop { $0.stop() })
    }

    private func add(_ job: Job) {
        let wasEmpty = jobs.withLock { jobs in
            jobs.append(job)
            return jobs.count == 1
        }
        if wasEmpty { Syscalls.signal(eventfd: wakeFD) }
    }

    /// Swaps the posted jobs with an empty array whose room is used again.
    ///
    /// Only the loop calls this.
    func take(into spare: inout [Job]) {
        Syscalls.drain(eventfd: wakeFD)
        jobs.withLock { swap(&$0, &spare) }
    }
}
