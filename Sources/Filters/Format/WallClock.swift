internal import Glibc

/// The time of day.
enum WallClock {
    /// Nanoseconds since 1970.
    static func now() -> UInt64 {
        var time = timespec()
        // SAFETY: `time` is valid for the call.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(max(0, time.tv_sec)) &* 1_000_000_000 &+ UInt64(max(0, time.tv_nsec))
    }

    /// Seconds since 1970.
    static func seconds() -> Int64 { Int64(now() / 1_000_000_000) }
}
