internal import FilterAPI

/// A breaker as one worker uses it: with its numbers, the worker's own window, and what refused clients are told.
final class BreakerSlot {
    let breaker: Breaker
    let rules: BreakerRules
    /// Where outcomes go; nil where failures do not open it.
    let window: OutcomeWindow?
    let maxRequests: Refusal
    let open: Refusal
    let queueFull: Refusal
    let queueTimeout: Refusal

    /// - Parameters:
    ///   - subject: for clients: `cluster app`.
    ///   - places: where its limits are set.
    init(_ breaker: Breaker, _ rules: BreakerRules, worker: Int, subject: String, _ places: LimitPlaces) {
        self.breaker = breaker
        self.rules = rules
        window = rules.errors.map { breaker.circuit.window(ofWorker: worker, length: $0.window) }
        let full = "max_requests (\(rules.maxRequests)) of \(subject) is reached"
        let queue = rules.queue ?? CircuitBreaker.QueueSettings()
        maxRequests = Refusal(.maxRequests, full, place: places.maxRequests)
        open = Refusal(.open, "the circuit breaker of \(subject) is open", place: places.errors)
        queueFull = Refusal(.queueFull, "queue.max (\(queue.max)) of \(subject) is reached", place: places.queueMax)
        let time = TimeText.of(queue.timeout.wholeNanoseconds)
        queueTimeout = Refusal(
            .queueTimeout, "\(full), and no place became free within queue.timeout (\(time))",
            place: places.queueTimeout)
    }
}
