internal import FilterAPI

/// What a retry filter counts on one worker.
struct RetryCounters {
    /// Further tries.
    let retries: Counter
    /// Requests that were answered well by a further try.
    let successes: Counter
    /// Further tries that the budget, or the limit on how many run at once, did not allow.
    let overflows: Counter
    /// Requests that failed with the last try that they may have.
    let limitReached: Counter
    /// Pauses that were drawn by lot, and pauses that the upstream asked for.
    let backoffExponential: Counter
    let backoffRatelimited: Counter
    /// Requests that were not tried again because of their method, their body, or the time.
    let notIdempotent: Counter
    let bodyTooLarge: Counter
    let noTime: Counter
    /// Tries that took too long.
    let tryTimeouts: Counter

    init(_ worker: borrowing WorkerContext) {
        retries = worker.counter("retry")
        successes = worker.counter("retry_success")
        overflows = worker.counter("retry_overflow")
        limitReached = worker.counter("retry_limit_exceeded")
        backoffExponential = worker.counter("retry_backoff_exponential")
        backoffRatelimited = worker.counter("retry_backoff_ratelimited")
        notIdempotent = worker.counter("retry_not_idempotent")
        bodyTooLarge = worker.counter("retry_body_too_large")
        noTime = worker.counter("retry_no_time")
        tryTimeouts = worker.counter("per_try_timeout")
    }
}
