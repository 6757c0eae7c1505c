extension EventLoop {
    /// Arms a timer, or moves it if it is armed: it fires `after` nanoseconds from ``now`` or up to two milliseconds
    /// later, never earlier.
    ///
    /// Durations beyond the end of time wait for ever.
    ///
    /// The loop does not keep the timer alive: see ``LoopTimer``.
    public func schedule(_ timer: LoopTimer, after: Nanoseconds) {
        // Outside a turn `now` may be as old as the last wait.
        if !isInTurn { now = Syscalls.timeNow() }
        let (deadline, overflow) = now.addingReportingOverflow(after)
        wheel.arm(timer, at: overflow ? .max : deadline)
    }

    /// Disarms a timer.
    ///
    /// Does nothing if it is not armed.
    public func cancel(_ timer: LoopTimer) {
        wheel.cancel(timer)
    }
}
