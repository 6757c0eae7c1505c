internal import Engine
internal import FilterAPI

/// The numbers of one health check by which ``HealthMachine`` decides.
struct HealthRules: Sendable, Equatable {
    let unhealthyThreshold: Int
    let healthyThreshold: Int
    let interval: Nanoseconds
    let intervalJitter: Nanoseconds
    let unhealthyInterval: Nanoseconds
    let unhealthyEdgeInterval: Nanoseconds
    let healthyEdgeInterval: Nanoseconds
    /// Nil where it makes no difference whether requests have gone to the cluster.
    let noTrafficInterval: Nanoseconds?

    init(_ settings: HealthCheckSettings) {
        unhealthyThreshold = settings.unhealthyThreshold
        healthyThreshold = settings.healthyThreshold
        interval = settings.interval.wholeNanoseconds
        intervalJitter = settings.intervalJitter.wholeNanoseconds
        let unhealthy = settings.unhealthyInterval ?? settings.interval
        unhealthyInterval = unhealthy.wholeNanoseconds
        unhealthyEdgeInterval = (settings.unhealthyEdgeInterval ?? unhealthy).wholeNanoseconds
        healthyEdgeInterval = (settings.healthyEdgeInterval ?? settings.interval).wholeNanoseconds
        noTrafficInterval = settings.noTrafficInterval?.wholeNanoseconds
    }
}
