/// Anything that a loop watches: a connection, a listener, an eventfd.
///
/// Subclass it.
///
/// A source lives on one loop and is used only on that loop's thread.
open class EventSource {
    /// The descriptor that is registered, or -1 if none is.
    ///
    /// The source's owner closes it, not the loop.
    public internal(set) var fd: Int32 = -1

    /// Index in the loop's table, or ``noSlot``.
    var slot: UInt32 = EventSource.noSlot
    /// The turn in which ``EventLoop/again(_:)`` wants this source to be called; 0 for none.
    var againTurn: UInt64 = 0
    var wantsTurnEnd = false

    static let noSlot = UInt32.max

    /// A source that is not registered.
    public init() {}

    /// Whether a loop watches this source.
    public var isRegistered: Bool { slot != EventSource.noSlot }

    /// The descriptor became ready.
    ///
    /// It may deregister itself or any other source from here.
    ///
    /// Edge triggered: what is not read or written until the kernel says "would block" is not announced again.
    open func ready(_ readiness: Readiness) {}

    /// The end of a turn in which ``EventLoop/atTurnEnd(_:)`` was called for this source.
    ///
    /// The place to flush.
    open func turnEnded() {}
}

@available(*, unavailable)
extension EventSource: Sendable {}
