internal import FilterAPI

/// What health checks of one cluster count, under Envoy's names.
struct HealthCounters {
    let attempts: FilterAPI.Counter
    let successes: FilterAPI.Counter
    let failures: FilterAPI.Counter
    let networkFailures: FilterAPI.Counter
    let passiveFailures: FilterAPI.Counter
    /// How many endpoints are good.
    let healthy: Gauge
    private let group: StatGroup

    init(_ registry: StatRegistry, cluster: String) {
        let group = registry.group(
            StatScope.cluster(cluster).part("health_check"), HealthStat.schema, by: .control)
        let slots = StatSlots<HealthStat>(group, slot: 0)
        self.group = group
        attempts = slots.counter(.attempt)
        successes = slots.counter(.success)
        failures = slots.counter(.failure)
        networkFailures = slots.counter(.networkFailure)
        passiveFailures = slots.counter(.passiveFailure)
        healthy = slots.gauge(.healthy)
    }

    func count(_ outcome: CheckOutcome.Kind) {
        if outcome == .passed { return successes.add() }
        failures.add()
        if outcome == .unreachable { networkFailures.add() }
    }
}
