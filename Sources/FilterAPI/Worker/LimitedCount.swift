internal import Synchronization

/// A number that never goes above its limit, however many threads count: requests at once, connections, retries.
///
/// Ask for it with ``WorkerContext/shared(_:_:)``, so that all workers have the same one. All operations are in one total
/// order, so that whoever gives one back and looks afterwards whether somebody waits, and whoever says that it waits and
/// tries afterwards to take one, cannot miss each other.
public final class LimitedCount: Sendable {
    private let taken = Atomic<Int>(0)

    /// None taken.
    public init() {}

    /// Takes one, if there are fewer than `limit`.
    ///
    /// Compared before it is counted: adding first and taking back where it was too much would refuse another thread that
    /// is within the limit.
    public func take(limit: Int) -> Bool {
        var now = taken.load(ordering: .sequentiallyConsistent)
        while now < limit {
            let (exchanged, original) = taken.weakCompareExchange(
                expected: now, desired: now + 1, ordering: .sequentiallyConsistent)
            if exchanged { return true }
            now = original
        }
        return false
    }

    /// Gives one back that was taken.
    public func give() { taken.subtract(1, ordering: .sequentiallyConsistent) }

    /// How many are taken.
    public var count: Int { taken.load(ordering: .sequentiallyConsistent) }
}
