internal import CLinux
internal import Glibc

// What the event loop itself needs: epoll, eventfd, signalfd, clocks.
extension Syscalls {
    /// CLOCK_MONOTONIC in nanoseconds.
    ///
    /// Never jumps.
    public static func timeNow() -> Nanoseconds { read(clock: CLOCK_MONOTONIC) }

    /// CLOCK_REALTIME in nanoseconds since 1970.
    ///
    /// May jump: only for what people read.
    public static func wallClock() -> Nanoseconds { read(clock: CLOCK_REALTIME) }

    private static func read(clock: clockid_t) -> Nanoseconds {
        var time = timespec()
        // Cannot fail: the clock exists and the pointer is ours.
        _ = unsafe clock_gettime(clock, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    static func epollCreate() throws(SystemFault) -> Int32 {
        let result = attempt(.epollCreate) { Int(epoll_create1(Int32(EPOLL_CLOEXEC))) }
        if result < 0 { throw fault("epoll_create1", result) }
        return Int32(result)
    }

    static func epollAdd(_ epoll: Int32, fd: Int32, interest: UInt32, token: UInt64) throws(SystemFault) {
        try epollControl(epoll, EPOLL_CTL_ADD, fd, interest, token)
    }

    static func epollModify(_ epoll: Int32, fd: Int32, interest: UInt32, token: UInt64) throws(SystemFault) {
        try epollControl(epoll, EPOLL_CTL_MOD, fd, interest, token)
    }

    private static func epollControl(
        _ epoll: Int32, _ operation: Int32, _ fd: Int32, _ interest: UInt32, _ token: UInt64
    ) throws(SystemFault) {
        var event = unsafe epoll_event()
        unsafe event.events = interest
        unsafe event.data.u64 = token
        let result = attempt(.epollControl) { unsafe Int(epoll_ctl(epoll, operation, fd, &event)) }
        if result < 0 { throw fault("epoll_ctl", result) }
    }

    /// Fails only for a descriptor that is closed already, which then needs no removing.
    static func epollRemove(_ epoll: Int32, fd: Int32) {
        _ = epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nil)
    }

    /// Waits for events.
    ///
    /// Interrupted or failed, it is a wait that found nothing: the loop turns and comes back.
    static func epollWait(
        _ epoll: Int32, _ events: UnsafeMutablePointer<epoll_event>, _ room: Int, milliseconds: Int32
    ) -> Int {
        let failure = injected(.epollWait)
        let count = failure == 0 ? unsafe epoll_wait(epoll, events, Int32(room), milliseconds) : -1
        if count >= 0 { return Int(count) }
        let reason = failure == 0 ? errno : failure
        precondition(reason != EBADF && reason != EINVAL && reason != EFAULT, "the loop's own epoll descriptor is gone")
        return 0
    }

    /// A new eventfd, non-blocking, closed on exec.
    public static func eventfd() throws(SystemFault) -> Int32 {
        let result = attempt(.eventfd) { Int(sluice_eventfd()) }
        if result < 0 { throw fault("eventfd", result) }
        return Int32(result)
    }

    /// Wakes whoever waits for the eventfd.
    ///
    /// A full counter is a wake-up as well, so nothing can go wrong.
    public static func signal(eventfd: Int32) {
        _ = attempt(.write) {
            var one: UInt64 = 1
            return unsafe Glibc.write(eventfd, &one, 8)
        }
    }

    /// Sets the eventfd back to "nothing".
    public static func drain(eventfd: Int32) {
        var count: UInt64 = 0
        _ = unsafe Glibc.read(eventfd, &count, 8)
    }

    /// A new signalfd for a set of blocked signals, non-blocking, closed on exec.
    public static func signalfd(_ signals: [Int32]) throws(SystemFault) -> Int32 {
        var set = Signals.set(signals)
        let result = attempt(.signalfd) { unsafe Int(sluice_signalfd(&set)) }
        if result < 0 { throw fault("signalfd", result) }
        return Int32(result)
    }

    /// The next signal waiting in a signalfd, or nil.
    public static func nextSignal(signalfd: Int32) -> Int32? {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        let result = attempt(.read) { unsafe Glibc.read(signalfd, &info, size) }
        return result == size ? Int32(bitPattern: info.ssi_signo) : nil
    }
}
