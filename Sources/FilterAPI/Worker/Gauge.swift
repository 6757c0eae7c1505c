package import Synchronization

/// A number that goes up and down, one for the process: whoever sets it last is right. May be set from any thread.
///
/// SAFETY: what it points at is never freed.
@safe
public struct Gauge: Sendable, BitwiseCopyable {
    private nonisolated(unsafe) let cell: UnsafeMutablePointer<Atomic<UInt64>>

    package init(cell: UnsafeMutablePointer<Atomic<UInt64>>) { unsafe self.cell = cell }

    /// Sets the value.
    public func set(_ value: Int64) { unsafe cell.pointee.store(UInt64(bitPattern: value), ordering: .relaxed) }

    /// The value that was set last.
    public var value: Int64 { unsafe Int64(bitPattern: cell.pointee.load(ordering: .relaxed)) }

    /// A gauge that nobody shows.
    package static func detached() -> Gauge { unsafe Gauge(cell: StatWords.allocate(1)) }
}
