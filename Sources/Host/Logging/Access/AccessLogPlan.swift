internal import Config
internal import FilterAPI

/// One log of a listener, as the config says it: read and checked. Shared by all workers.
struct AccessLogPlan: Sendable {
    /// `stdout`, or a path.
    let to: String
    let format: AccessLogFormat
    /// Which requests it has; nil for all.
    let when: AccessLogConditionSettings?
    /// Where the config has it.
    let place: Place?
}
