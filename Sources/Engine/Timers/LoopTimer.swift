/// Something that happens later, once, on a loop's own thread.
///
/// Subclass it, or use ``CallbackTimer``.
///
/// The timer is itself the node of the wheel's lists, so arming, moving and cancelling allocate nothing. The wheel does
/// **not** keep a timer alive: its owner does, in a stored property (an optimised build lets go of a local variable
/// after its last use), and a timer that goes away is cancelled. Use it only on the thread of the loop it was armed on.
///
/// SAFETY: the links are unretained. They are only ever followed while both ends are in a list, and `deinit` takes the
/// node out of its list, so no list holds a dead node; the wheel empties all lists before it goes away.
@safe open class LoopTimer {
    var previous: Unmanaged<LoopTimer>?
    var next: Unmanaged<LoopTimer>?
    var wheel: Unmanaged<TimerWheel>?
    /// The tick at which the timer is due; meaningful while armed.
    var tick: UInt64 = 0
    /// Which list of the wheel holds this node; meaningful while armed.
    var place: Int = 0

    /// A timer that is not armed.
    public init() {}

    deinit {
        if let wheel = unsafe wheel {
            unsafe wheel._withUnsafeGuaranteedRef { $0.cancel(self) }
        }
    }

    /// Called once when the time has come.
    ///
    /// The timer is no longer armed: it may be armed again from here.
    open func fired() {}

    /// Whether the timer will fire unless it is cancelled.
    public var isArmed: Bool { unsafe wheel != nil }
}

@available(*, unavailable)
extension LoopTimer: Sendable {}
