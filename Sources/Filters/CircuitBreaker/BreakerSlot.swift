internal import FilterAPI

/// A breaker as one worker uses it: with its numbers, the worker's own window, and what refused clients are told.
///
/// SAFETY: `breaker` and `window` are kept alive as long as the slot, and with the breaker its parts, so that requests can
/// ask them without counting.
@safe
final class BreakerSlot {
    let breaker: Breaker
    let rules: BreakerRules
    /// Where outcomes go; nil where failures do not open it.
    private let window: OutcomeWindow?
    private let ownWindow: Unmanaged<OutcomeWindow>?
    private let circuit: Unmanaged<ErrorCircuit>
    private let places: Unmanaged<RequestPlaces>
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
        let window = rules.errors.map { breaker.circuit.window(ofWorker: worker, length: $0.window) }
        self.window = window
        unsafe ownWindow = window.map { unsafe Unmanaged.passUnretained($0) }
        unsafe circuit = Unmanaged.passUnretained(breaker.circuit)
        unsafe self.places = Unmanaged.passUnretained(breaker.places)
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

    // MARK: What requests ask for

    /// See ``ErrorCircuit/refusal(at:)``.
    func refusal(at now: UInt64) -> UInt64? { unsafe circuit._withUnsafeGuaranteedRef { $0.refusal(at: now) } }

    /// See ``ErrorCircuit/admit(at:_:)``.
    func admit(at now: UInt64, _ rules: ErrorRules) -> Admission {
        unsafe circuit._withUnsafeGuaranteedRef { $0.admit(at: now, rules) }
    }

    /// See ``ErrorCircuit/record(_:_:_:at:_:)``.
    func record(_ outcome: Outcome?, _ permit: Permit, at now: UInt64, _ rules: ErrorRules) -> CircuitChange? {
        guard let window = unsafe ownWindow else { return nil }
        return unsafe window._withUnsafeGuaranteedRef { window in
            unsafe circuit._withUnsafeGuaranteedRef { $0.record(outcome, permit, window, at: now, rules) }
        }
    }

    /// See ``ErrorCircuit/completed(_:)``.
    func completed(_ permit: Permit) { unsafe circuit._withUnsafeGuaranteedRef { $0.completed(permit) } }

    /// Takes a place, if there is one.
    func takePlace() -> Bool { unsafe places._withUnsafeGuaranteedRef { $0.take(limit: rules.maxRequests) } }

    /// Gives a place back.
    func giveBackPlace() { unsafe places._withUnsafeGuaranteedRef { $0.giveBack() } }
}
