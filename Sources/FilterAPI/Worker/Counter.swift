public import Synchronization

/// A number that only grows, kept per worker and summed when it is read.
///
/// Adding is a load and a store, without a locked instruction: only its own worker writes it.
public struct Counter: Sendable {
    @usableFromInline package let cell: CounterCell

    package init(cell: CounterCell) { self.cell = cell }

    /// Adds; on the worker that asked for the counter only.
    @inlinable
    public func add(_ amount: UInt64 = 1) {
        cell.value.store(cell.value.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }

    /// What this worker has counted.
    public var value: UInt64 { cell.value.load(ordering: .relaxed) }
}

/// The memory behind a counter.
@usableFromInline
package final class CounterCell: Sendable {
    @usableFromInline package let value = Atomic<UInt64>(0)

    package init() {}
}
