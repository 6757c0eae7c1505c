/// Keeps further tries in proportion to requests: on one worker, for one cluster.
///
/// Requests and further tries are counted with a weight that fades over the window, so that a short burst of failures
/// may use what quiet times have left, and a long outage adds no more than the share. Some tries at once are always
/// allowed, for clusters that are asked rarely. No clock of its own.
struct RetryBudget {
    private let share: Double
    private let window: Double
    private var requests = 0.0
    private var retries = 0.0
    private var last: UInt64 = 0

    /// - Parameters:
    ///   - millionths: the share.
    ///   - window: in nanoseconds.
    init(millionths: Int, window: UInt64) {
        share = Double(millionths) / 1_000_000
        self.window = Double(max(1, window))
    }

    /// A request begins.
    @inline(__always)
    mutating func deposit(now: UInt64) {
        if now != last { fade(now) }
        requests += 1
    }

    /// Whether a further try is within the share; counted if so.
    mutating func withdraw(now: UInt64) -> Bool {
        fade(now)
        guard retries + 1 <= requests * share else { return false }
        retries += 1
        return true
    }

    /// A further try is made that is allowed whatever the share says.
    mutating func note(now: UInt64) {
        fade(now)
        retries += 1
    }

    private mutating func fade(_ now: UInt64) {
        guard now > last else { return }
        let left = max(0, 1 - Double(now - last) / window)
        last = now
        requests *= left
        retries *= left
    }
}
