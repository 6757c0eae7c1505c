/// How many tries of an endpoint ended in which way.
struct OutcomeCounts: Sendable, Equatable {
    /// Answers below 500.
    var successes: UInt64 = 0
    /// Answers with 5xx.
    var serverErrors: UInt64 = 0
    /// No connection, or no answer.
    var localFailures: UInt64 = 0

    var isEmpty: Bool { successes | serverErrors | localFailures == 0 }

    /// What has come since.
    static func - (now: OutcomeCounts, before: OutcomeCounts) -> OutcomeCounts {
        OutcomeCounts(
            successes: now.successes &- before.successes, serverErrors: now.serverErrors &- before.serverErrors,
            localFailures: now.localFailures &- before.localFailures)
    }
}
