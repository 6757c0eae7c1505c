public import Synchronization

/// A number that only grows, kept per worker and summed when it is read.
///
/// Adding is a load and a store, without a locked instruction: only its own worker writes it.
///
/// SAFETY: what it points at is never freed.
@safe
public struct Counter: Sendable, BitwiseCopyable {
    @usableFromInline nonisolated(unsafe) let cell: UnsafeMutablePointer<Atomic<UInt64>>

    package init(cell: UnsafeMutablePointer<Atomic<UInt64>>) { unsafe self.cell = cell }

    /// Adds; on the worker that asked for the counter only.
    @inlinable
    public func add(_ amount: UInt64 = 1) {
        unsafe cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }

    /// What this worker has counted.
    public var value: UInt64 { unsafe cell.pointee.load(ordering: .relaxed) }

    /// A counter that nobody shows.
    package static func detached() -> Counter { unsafe Counter(cell: StatWords.allocate(1)) }
}
