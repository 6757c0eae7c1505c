internal import Synchronization

/// How many requests are delayed now; counted by all workers, and kept over reloads.
final class ActiveFaults: Sendable {
    private let running = Atomic<Int>(0)

    /// Takes a place.
    ///
    /// Compared before it is counted: adding first and taking back would refuse a request of another worker that is
    /// within the limit.
    ///
    /// - Returns: false where there are as many as `limit` already.
    func take(limit: Int) -> Bool {
        var seen = running.load(ordering: .relaxed)
        while seen < limit {
            let (done, original) = running.weakCompareExchange(
                expected: seen, desired: seen + 1, ordering: .relaxed)
            if done { return true }
            seen = original
        }
        return false
    }

    /// Gives a place back.
    func give() { running.subtract(1, ordering: .relaxed) }

    /// How many there are now.
    var count: Int { running.load(ordering: .relaxed) }
}
