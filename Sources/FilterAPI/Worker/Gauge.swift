package import Synchronization

/// A number that goes up and down, one for the process: whoever sets it last is right. May be set from any thread.
public struct Gauge: Sendable {
    package let cell: GaugeCell

    package init(cell: GaugeCell) { self.cell = cell }

    /// Sets the value.
    public func set(_ value: Int64) { cell.value.store(value, ordering: .relaxed) }

    /// The value that was set last.
    public var value: Int64 { cell.value.load(ordering: .relaxed) }
}

/// The memory behind a gauge.
package final class GaugeCell: Sendable {
    package let value = Atomic<Int64>(0)

    package init() {}
}
