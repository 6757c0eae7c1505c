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

    init(_ registry: CounterRegistry, cluster: String) {
        let prefix = "cluster.\(cluster).health_check."
        // No worker's number: these are the control thread's.
        func make(_ name: String) -> FilterAPI.Counter { registry.counter(prefix + name, worker: -1) }
        attempts = make("attempt")
        successes = make("success")
        failures = make("failure")
        networkFailures = make("network_failure")
        passiveFailures = make("passive_failure")
        healthy = registry.gauge(prefix + "healthy")
    }

    func count(_ outcome: CheckOutcome.Kind) {
        if outcome == .passed { return successes.add() }
        failures.add()
        if outcome == .unreachable { networkFailures.add() }
    }
}
