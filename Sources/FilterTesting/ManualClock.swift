public import FilterAPI

/// A clock that moves only when the test says so.
public final class ManualClock {
    /// The time that codecs and filters are told.
    public private(set) var now = Instant(nanoseconds: 1_000_000_000)

    /// A clock that stands at one second.
    public init() {}

    /// Moves on. What falls due meanwhile is up to whoever holds the clock.
    public func advance(by duration: Duration) {
        now = Instant(nanoseconds: now.nanoseconds &+ duration.wholeNanoseconds)
    }
}
