internal import Synchronization

/// Since when a loop has been working without looking for new events, for whoever watches it from another thread.
public final class LoopPulse: Sendable {
    private let since = Atomic<Nanoseconds>(0)

    /// A loop that waits.
    public init() {}

    /// When the present turn began its work, by the loop's clock; 0 while the loop waits.
    public var busySince: Nanoseconds { since.load(ordering: .relaxed) }

    @inline(__always)
    func beat(_ now: Nanoseconds) { since.store(now, ordering: .relaxed) }
}
