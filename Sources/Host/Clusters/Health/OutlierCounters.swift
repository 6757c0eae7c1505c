internal import FilterAPI

/// What a cluster's outlier detection counts, under Envoy's names. Each is made when it is first needed.
final class OutlierCounters {
    private let registry: StatRegistry
    private let scope: StatScope
    private var counters: [String: FilterAPI.Counter] = [:]
    private var active: FilterAPI.Gauge?

    init(_ registry: StatRegistry, cluster: String) {
        self.registry = registry
        scope = StatScope.cluster(cluster).part("outlier_detection")
    }

    func add(_ verdict: OutlierVerdict) {
        switch verdict {
        case .eject(let finding, _, _):
            add("ejections_detected_\(finding.kind.rawValue)")
            add("ejections_enforced_\(finding.kind.rawValue)")
            add("ejections_enforced_total")
        case .keep(let finding, _):
            add("ejections_detected_\(finding.kind.rawValue)")
            add("ejections_overflow")
        case .notice(let finding): add("ejections_detected_\(finding.kind.rawValue)")
        case .release: break
        }
    }

    /// How many are put aside now.
    func set(active count: Int) {
        guard count > 0 || active != nil else { return }
        let gauge = active ?? registry.gauge(scope, OutlierStat.active)
        active = gauge
        gauge.set(Int64(count))
    }

    private func add(_ name: String) {
        if let known = counters[name] { return known.add() }
        let counter = registry.counter(scope, OutlierStat.entry(name), slot: registry.controlSlot)
        counters[name] = counter
        counter.add()
    }
}
