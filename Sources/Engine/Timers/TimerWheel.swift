/// A hierarchical timer wheel: eight levels of 64 lists, one millisecond a tick on the lowest level.
///
/// A timer lies on the level of the highest group of six bits in which its tick differs from the current one. So within a
/// level every occupied list is ahead of the current position, the lowest occupied list of the lowest occupied level is
/// always the next one, and no list ever wraps. A timer moves down at most seven times in its life; arming, moving and
/// cancelling are O(1) and allocate nothing.
///
/// Knows no clock: whoever owns it moves it with ``advance(to:)``.
///
/// SAFETY: `lists` is owned by this object, holds `listCount` initialised values for its whole life and is indexed only
/// by places that this type computed. See ``LoopTimer`` for the links.
@safe public final class TimerWheel {
    /// The length of a tick in nanoseconds.
    public static let tickLength: Nanoseconds = 1_000_000

    static let levels = 8
    /// Two more lists hold what is already due: one is being fired while the other one collects.
    static let dueList = levels * 64
    static let listCount = dueList + 2

    @unsafe struct List {
        var first: Unmanaged<LoopTimer>?
        var last: Unmanaged<LoopTimer>?
    }

    let lists: UnsafeMutablePointer<List>
    /// One bit for each list of each level that is not empty.
    var occupied: InlineArray<8, UInt64> = .init(repeating: 0)
    /// Which of the two due lists collects now.
    var collecting = dueList
    /// All timers with a tick up to and including this one have fired or are in a due list.
    var current: UInt64
    /// How many timers are armed.
    public private(set) var count = 0

    /// An empty wheel that stands at `now`.
    public init(now: Nanoseconds) {
        current = now / TimerWheel.tickLength
        unsafe lists = .allocate(capacity: TimerWheel.listCount)
        unsafe lists.initialize(repeating: List(), count: TimerWheel.listCount)
    }

    deinit {
        for place in 0..<TimerWheel.listCount {
            while let timer = unsafe lists[place].first { unsafe timer._withUnsafeGuaranteedRef { cancel($0) } }
        }
        unsafe lists.deallocate()
    }

    /// Arms a timer for a moment on the owner's clock, or moves it there if it is armed.
    ///
    /// It never fires before.
    ///
    /// A moment that is already past fires at the next ``advance(to:)``.
    public func arm(_ timer: LoopTimer, at deadline: Nanoseconds) {
        cancel(timer)
        let (ticks, rest) = deadline.quotientAndRemainder(dividingBy: TimerWheel.tickLength)
        timer.tick = rest == 0 ? ticks : ticks + 1
        unsafe timer.wheel = Unmanaged.passUnretained(self)
        count += 1
        append(timer, to: timer.tick <= current ? collecting : place(of: timer.tick))
    }

    /// Disarms a timer.
    ///
    /// Does nothing if it is not armed on this wheel.
    public func cancel(_ timer: LoopTimer) {
        guard let wheel = unsafe timer.wheel else { return }
        precondition(
            unsafe wheel.toOpaque() == Unmanaged.passUnretained(self).toOpaque(),
            "a timer can only be armed on one loop")
        unsafe timer.wheel = nil
        count -= 1
        remove(timer)
    }
}

@available(*, unavailable)
extension TimerWheel: Sendable {}

// MARK: - Time

extension TimerWheel {
    /// When ``advance(to:)`` next has something to do, on the owner's clock; nil if no timer is armed.
    ///
    /// Never later than the earliest timer; may be earlier, when timers only have to move down a level.
    public var nextDeadline: Nanoseconds? {
        if unsafe lists[collecting].first != nil { return current * TimerWheel.tickLength }
        guard let place = nextPlace else { return nil }
        let (moment, overflow) = start(of: place).multipliedReportingOverflow(by: TimerWheel.tickLength)
        return overflow ? .max : moment
    }

    /// Fires every timer whose moment is not after `now`, in the order of their ticks, and within a tick in the order
    /// in which they were armed.
    ///
    /// A timer armed from inside ``LoopTimer/fired()`` for a moment that is past waits for the next call.
    ///
    /// - Returns: how many timers fired.
    @discardableResult
    public func advance(to now: Nanoseconds) -> Int {
        let target = now / TimerWheel.tickLength
        let due = collecting
        if target <= current, unsafe lists[due].first == nil { return 0 }
        collecting = due ^ 1
        var fired = fire(due)
        while let place = nextPlace {
            let start = start(of: place)
            if start > target { break }
            current = start
            if place < 64 { fired += fire(place) } else { spread(place) }
        }
        if target > current { current = target }
        return fired
    }

    /// The list that comes next in time, whether its timers fire or move down.
    private var nextPlace: Int? {
        for level in 0..<TimerWheel.levels where occupied[level] != 0 {
            return level * 64 + occupied[level].trailingZeroBitCount
        }
        return nil
    }

    /// The first tick that a list stands for, seen from the current one.
    private func start(of place: Int) -> UInt64 {
        let shift = UInt64(place / 64 * 6)
        let above = (current >> (shift + 6)) << (shift + 6)
        return above | UInt64(place % 64) << shift
    }

    /// Where a tick that is not before the current one belongs.
    private func place(of tick: UInt64) -> Int {
        let difference = (tick ^ current) | 63
        let level = (63 - difference.leadingZeroBitCount) / 6
        return level * 64 + Int(truncatingIfNeeded: tick >> UInt64(level * 6)) & 63
    }

    /// Fires a list from its front until it is empty: a timer that fires may cancel the ones behind it.
    private func fire(_ place: Int) -> Int {
        var fired = 0
        while let first = unsafe lists[place].first {
            // Retained for the call: the owner may let go of the timer while it fires.
            let timer = unsafe first.takeUnretainedValue()
            cancel(timer)
            fired += 1
            timer.fired()
        }
        return fired
    }

    /// Moves the timers of a list whose first tick has come to the levels below.
    private func spread(_ place: Int) {
        while let first = unsafe lists[place].first {
            unsafe first._withUnsafeGuaranteedRef { timer in
                remove(timer)
                append(timer, to: self.place(of: timer.tick))
            }
        }
    }
}

// MARK: - Lists

extension TimerWheel {
    private func append(_ timer: LoopTimer, to place: Int) {
        let node = unsafe Unmanaged.passUnretained(timer)
        timer.place = place
        unsafe timer.next = nil
        unsafe timer.previous = lists[place].last
        if let last = unsafe lists[place].last {
            unsafe last._withUnsafeGuaranteedRef { unsafe $0.next = node }
        } else {
            unsafe lists[place].first = node
            if place < TimerWheel.dueList { occupied[place / 64] |= 1 << UInt64(place % 64) }
        }
        unsafe lists[place].last = node
    }

    private func remove(_ timer: LoopTimer) {
        let place = timer.place
        let (previous, next) = unsafe (timer.previous, timer.next)
        if let previous = unsafe previous {
            unsafe previous._withUnsafeGuaranteedRef { unsafe $0.next = next }
        } else {
            unsafe lists[place].first = next
        }
        if let next = unsafe next {
            unsafe next._withUnsafeGuaranteedRef { unsafe $0.previous = previous }
        } else {
            unsafe lists[place].last = previous
        }
        unsafe timer.previous = nil
        unsafe timer.next = nil
        if place < TimerWheel.dueList, unsafe lists[place].first == nil {
            occupied[place / 64] &= ~(1 << UInt64(place % 64))
        }
    }
}
