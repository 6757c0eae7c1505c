internal import FilterAPI
internal import Synchronization

/// A gauge that several threads count up and down.
final class GaugeTally: Sendable {
    private let gauge: Gauge
    private let count = Mutex<Int64>(0)

    init(_ gauge: Gauge) { self.gauge = gauge }

    func add(_ difference: Int64) {
        count.withLock { count in
            count += difference
            gauge.set(count)
        }
    }
}
