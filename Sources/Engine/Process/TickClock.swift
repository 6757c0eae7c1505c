internal import CLinux

/// Times of some nanoseconds to microseconds, by the processor's own clock: to read it costs a third of what the system's
/// does. For measuring only: the processor may be another one after a moment.
public struct TickClock: Sendable {
    /// Nanoseconds in 2^32 ticks.
    private let scale: UInt64

    /// The clock of this machine; measured with the first use, which takes ten milliseconds.
    public static let shared = TickClock()

    private init() {
        let (ticks, time) = (Self.ticks, Syscalls.timeNow())
        var (laterTicks, laterTime) = (ticks, time)
        while laterTime < time + 10_000_000 { (laterTicks, laterTime) = (Self.ticks, Syscalls.timeNow()) }
        scale = laterTicks > ticks ? ((laterTime - time) << 32) / (laterTicks - ticks) : 1 << 32
    }

    /// Now.
    @inline(__always)
    public static var ticks: UInt64 { sluice_ticks() }

    /// How many have passed; none where the clock of another processor, on which the thread is now, is a little behind.
    @inline(__always)
    public static func since(_ earlier: UInt64) -> UInt64 {
        let now = ticks
        return now > earlier ? now - earlier : 0
    }

    /// So many ticks in nanoseconds.
    public func nanoseconds(_ ticks: UInt64) -> Nanoseconds {
        // In two parts: the product would not fit.
        (ticks >> 32) &* scale &+ ((ticks & 0xFFFF_FFFF) &* scale) >> 32
    }
}
