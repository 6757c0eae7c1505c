/// What a loop has done since it was made.
///
/// Read it on the loop's thread, or post a job that does.
public struct LoopCounters: Sendable, Equatable {
    /// Turns, each one wait of the kernel.
    public internal(set) var turns: UInt64 = 0
    /// Events that reached a source.
    public internal(set) var events: UInt64 = 0
    /// Events for a source that had gone earlier in the same batch.
    public internal(set) var staleEvents: UInt64 = 0
    /// Timers that fired.
    public internal(set) var timers: UInt64 = 0
    /// Posted jobs that ran.
    public internal(set) var jobs: UInt64 = 0
    /// Time spent working, not sleeping, in nanoseconds.
    public internal(set) var busy: Nanoseconds = 0
    /// The longest single turn's work in nanoseconds: how late an event may have been served.
    public internal(set) var longestTurn: Nanoseconds = 0
}

/// One turn that has just ended, as shown to ``EventLoop/onTurn``.
public struct LoopTurn: Sendable, Equatable {
    /// Events the kernel delivered in this turn.
    public let events: Int
    /// How long the turn worked, in nanoseconds: the lag it may have caused to what arrived meanwhile.
    public let lag: Nanoseconds
}
