internal import Synchronization

/// A number that never goes above its limit, counted by all workers.
final class LimitCounter: Sendable {
    private let taken = Atomic<Int>(0)

    /// Takes one, if there are fewer than `limit`.
    ///
    /// Compared before it is counted: adding first and taking back where it was too much would refuse another worker
    /// that is within the limit.
    func take(limit: Int) -> Bool {
        var now = taken.load(ordering: .relaxed)
        while now < limit {
            let (exchanged, original) = taken.weakCompareExchange(
                expected: now, desired: now + 1, ordering: .sequentiallyConsistent)
            if exchanged { return true }
            now = original
        }
        return false
    }

    /// Gives one back.
    func give() { taken.subtract(1, ordering: .sequentiallyConsistent) }

    /// How many are taken.
    var count: Int { taken.load(ordering: .relaxed) }
}
