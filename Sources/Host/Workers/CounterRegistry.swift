internal import FilterAPI
internal import Synchronization

/// All counters of the process, by name and worker.
final class CounterRegistry: Sendable {
    private struct Key: Hashable {
        let name: String
        let worker: Int
    }

    private let cells = Mutex<[Key: CounterCell]>([:])
    private let gauges = Mutex<[String: GaugeCell]>([:])

    /// The counter of that name; the same one each time, also over reloads.
    func counter(_ name: String, worker: Int) -> FilterAPI.Counter {
        let key = Key(name: name, worker: worker)
        let cell = cells.withLock { cells in
            if let cell = cells[key] { return cell }
            let cell = CounterCell()
            cells[key] = cell
            return cell
        }
        return Counter(cell: cell)
    }

    /// The gauge of that name; the same one each time, also over reloads.
    func gauge(_ name: String) -> Gauge {
        gauges.withLock { gauges in
            if let cell = gauges[name] { return Gauge(cell: cell) }
            let cell = GaugeCell()
            gauges[name] = cell
            return Gauge(cell: cell)
        }
    }

    /// All gauges.
    func gaugeValues() -> [String: Int64] {
        gauges.withLock { $0.mapValues { Gauge(cell: $0).value } }
    }

    /// All counters, summed over the workers.
    func totals() -> [String: UInt64] {
        cells.withLock { cells in
            var sums: [String: UInt64] = [:]
            for (key, cell) in cells { sums[key.name, default: 0] &+= cell.value.load(ordering: .relaxed) }
            return sums
        }
    }
}

/// What the host itself counts, on one worker.
struct HostCounters {
    let connections: FilterAPI.Counter
    let connectionsRefused: FilterAPI.Counter
    let acceptFailures: FilterAPI.Counter
    let requests: FilterAPI.Counter
    let freshRetries: FilterAPI.Counter
    let connectFailures: FilterAPI.Counter
    let connectTimeouts: FilterAPI.Counter
    let overflows: FilterAPI.Counter
    let requestOverflows: FilterAPI.Counter
    let retryOverflows: FilterAPI.Counter
    private let classes: [FilterAPI.Counter]

    init(registry: CounterRegistry, worker: Int) {
        func make(_ name: String) -> FilterAPI.Counter { registry.counter(name, worker: worker) }
        connections = make("downstream_cx_total")
        connectionsRefused = make("downstream_cx_overflow")
        acceptFailures = make("downstream_cx_accept_failed")
        requests = make("downstream_rq_total")
        freshRetries = make("upstream_rq_fresh_retry")
        connectFailures = make("upstream_cx_connect_fail")
        connectTimeouts = make("upstream_cx_connect_timeout")
        overflows = make("upstream_rq_pending_overflow")
        requestOverflows = make("upstream_rq_active_overflow")
        retryOverflows = make("upstream_rq_retry_overflow")
        classes = (0...5).map { make("downstream_rq_\($0 == 0 ? "none" : "\($0)xx")") }
    }

    func countResponse(_ status: Int) { classes[min(5, max(0, status / 100))].add() }
}
