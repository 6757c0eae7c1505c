internal import CLinux
internal import Glibc

/// One thread's event loop over epoll, with timers and posted jobs.
///
/// Knows nothing of what its sources do.
///
/// A turn is: wait; events; posted jobs; timers; sources that asked for ``again(_:)``; sources that asked for
/// ``atTurnEnd(_:)``; then what was deregistered in the turn is released. None of this allocates in the steady state.
///
/// Everything here is called on the loop's own thread. Other threads use ``poster``.
///
/// SAFETY: `events` is owned by the loop and as long as ``batchSize``. Sources are held unretained in lists only while
/// the table or `released` retains them: a source that is deregistered during a turn, or while it is still in such a list,
/// is moved to `released`, which is emptied when the lists are empty.
@safe public final class EventLoop {
    static let batchSize = 256
    static let wakeToken = UInt64.max

    /// CLOCK_MONOTONIC, read once after each wait.
    ///
    /// In a turn all code sees the same time.
    public internal(set) var now: Nanoseconds
    /// What the loop has done so far.
    public internal(set) var counters = LoopCounters()
    /// Called at the end of each turn, if set.
    public var onTurn: ((LoopTurn) -> Void)?
    /// The door for other threads.
    public nonisolated let poster: LoopPoster
    /// For whoever watches the loop from another thread.
    public nonisolated let pulse = LoopPulse()
    /// Whatever the loop's user wants to find again from a posted job, for example its worker.
    ///
    /// Not used by the loop.
    public var context: AnyObject?

    let epoll: Int32
    let events: UnsafeMutablePointer<epoll_event>
    let wheel: TimerWheel
    var table = SourceTable()
    var turnNumber: UInt64 = 0
    var isInTurn = false
    var isStopping = false
    /// Sources for ``again(_:)`` by token, so that one that has gone is simply not found.
    var againNext: [UInt64] = []
    var againNow: [UInt64] = []
    var turnEnd: [Unmanaged<EventSource>] = unsafe []
    var turnEndNow: [Unmanaged<EventSource>] = unsafe []
    var released: [Unmanaged<EventSource>] = unsafe []
    var jobs: [LoopPoster.Job] = []

    /// A loop with nothing to watch.
    ///
    /// - Throws: the call that failed, usually for want of descriptors.
    public init() throws(SystemFault) {
        poster = try LoopPoster()
        epoll = try Syscalls.epollCreate()
        now = Syscalls.timeNow()
        wheel = TimerWheel(now: now)
        unsafe events = .allocate(capacity: EventLoop.batchSize)
        try Syscalls.epollAdd(epoll, fd: poster.wakeFD, interest: EPOLLIN.rawValue, token: EventLoop.wakeToken)
    }

    deinit {
        releaseDeregistered()
        Syscalls.close(epoll)
        unsafe events.deallocate()
    }

    /// Turns until ``stop()``.
    ///
    /// Returns after the turn in which it was called.
    public func run() {
        poster.settleHere()
        var clock = Syscalls.timeNow()
        while !isStopping { clock = turn(maxWait: nil, clock: clock) }
        isStopping = false
    }

    /// Makes ``run()`` return when the present turn is over, or at once if it is not running yet.
    public func stop() {
        isStopping = true
    }

    /// How many sources are registered.
    public var sourceCount: Int { table.count }
}

@available(*, unavailable)
extension EventLoop: Sendable {}
