internal import FilterAPI

/// The settings of a filter or a route in the form in which they are asked for each answer. Holds no state.
final class RetryPolicy {
    let conditions: RetryConditions
    let attempts: Int
    /// In nanoseconds; 0 for none.
    let tryTimeout: UInt64
    let idleTimeout: UInt64
    let backoff: Backoff
    let grpcHoldBack: Int
    let glance: RetryGlance
    private let maxRetryAfter: UInt64
    private let statusCodes: [Int]
    private let fields: [(name: HeaderName, test: ValueTest)]
    private let nonIdempotent: Bool

    /// From settings that have passed their check.
    init(_ settings: Retry.Settings) throws(ConfigurationFault) {
        conditions = RetryConditions(settings.on)
        attempts = settings.attempts
        tryTimeout = settings.perTryTimeout.wholeNanoseconds
        idleTimeout = settings.perTryIdleTimeout.wholeNanoseconds
        let base = settings.backoff.base.wholeNanoseconds
        backoff = Backoff(
            base: base, cap: settings.backoff.max?.wholeNanoseconds ?? base.multipliedFullWidth(by: 10).low)
        grpcHoldBack = settings.grpcHoldBack.bytes
        maxRetryAfter = settings.maxRetryAfter.wholeNanoseconds
        statusCodes = settings.statusCodes
        nonIdempotent = settings.nonIdempotent
        var fields: [(HeaderName, ValueTest)] = []
        for (name, test) in settings.responseHeaders.sorted(by: { $0.key < $1.key }) {
            guard let known = HeaderName(name) else { continue }
            do throws(Pattern.Problem) {
                fields.append((known, try ValueTest(test)))
            } catch {
                throw ConfigurationFault(error.message, key: "response_headers.\(name)")
            }
        }
        self.fields = fields
        var statuses = conditions.contains(.retriableStatusCodes) ? statusCodes : []
        if conditions.contains(.serverError) { statuses.append(500) }
        if conditions.contains(.gatewayError) { statuses.append(502) }
        if conditions.contains(.retriable4xx) { statuses.append(409) }
        glance = RetryGlance(
            lowestStatus: statuses.min() ?? .max, hasFields: !fields.isEmpty,
            hasGRPC: !conditions.isDisjoint(with: .grpc), hasTimer: tryTimeout > 0 || idleTimeout > 0)
    }

    // MARK: What asks for a further try

    /// Whether a condition asks for a further try after something failed.
    func wants(_ fault: Fault) -> Bool {
        switch fault.kind {
        case .connectFailed, .connectTimeout, .handshakeFailed:
            return !conditions.isDisjoint(with: [.connectFailure, .serverError, .gatewayError, .reset])
        case .upstreamReset where fault.replay == .always:
            return !conditions.isDisjoint(with: [
                .refusedStream, .resetBeforeRequest, .serverError, .gatewayError, .reset,
            ])
        case .upstreamClosed where fault.replay == .always:
            return !conditions.isDisjoint(with: [.resetBeforeRequest, .serverError, .gatewayError, .reset])
        case .upstreamClosed, .upstreamReset, .upstreamProtocol, .upstreamTimeout:
            return !conditions.isDisjoint(with: .noAnswer)
        default:
            return false
        }
    }

    /// Whether a condition asks for a further try after an answer with this head.
    func wants(_ head: borrowing ResponseHead) -> Bool {
        let code = head.status.code
        if code >= 500, conditions.contains(.serverError) { return true }
        if code >= 502, code <= 504, conditions.contains(.gatewayError) { return true }
        if code == 409, conditions.contains(.retriable4xx) { return true }
        if conditions.contains(.retriableStatusCodes), statusCodes.contains(code) { return true }
        guard !fields.isEmpty else { return false }
        for (name, test) in fields {
            let passes = head.headers.withValue(name) { test.passes($0) } ?? test.passesAbsence
            if passes { return true }
        }
        return false
    }

    /// Whether a condition asks for a further try after a gRPC call with this outcome.
    func wants(_ status: GRPCStatus?) -> Bool {
        guard let status else { return false }
        return !conditions.isDisjoint(with: RetryConditions(asking: status))
    }

    // MARK: Whether it may be

    /// What is known of a request when a further try is asked for.
    struct Situation {
        /// Further tries that were made.
        var retries = 0
        /// Whether the method says that the request may be sent twice.
        var isIdempotent = true
        /// Whether the failure itself says that it may.
        var isHarmless = false
        /// Whether all of the request that has come is kept.
        var isKept = true
        /// How long the answer may take still, in nanoseconds; nil for any time.
        var timeLeft: UInt64?
        /// What the upstream says of when to come back, in nanoseconds; nil where it says nothing.
        var retryAfter: UInt64?
    }

    /// What becomes of the wish for a further try, but for the budget.
    enum Verdict: Equatable {
        /// A further try, after so many nanoseconds.
        case retry(after: UInt64, isAsked: Bool)
        /// There were as many as there may be.
        case limitReached
        /// The request may have had an effect, and is not to have it twice.
        case notIdempotent
        /// The body is not kept.
        case bodyTooLarge
        /// The answer would come too late.
        case noTime
    }

    /// Decides.
    ///
    /// - Parameter lot: 64 random bits.
    func verdict(_ situation: Situation, lot: UInt64) -> Verdict {
        guard situation.retries < attempts else { return .limitReached }
        guard situation.isIdempotent || situation.isHarmless || nonIdempotent else { return .notIdempotent }
        guard situation.isKept else { return .bodyTooLarge }
        var pause = backoff.pause(before: situation.retries + 1, lot: lot)
        var isAsked = false
        if let asked = situation.retryAfter, maxRetryAfter > 0 {
            // Who asks for more patience than there is, is not asked again.
            guard asked <= maxRetryAfter else { return .noTime }
            isAsked = true
            pause = max(asked, pause)
        }
        if let left = situation.timeLeft, pause >= left { return .noTime }
        return .retry(after: pause, isAsked: isAsked)
    }
}
