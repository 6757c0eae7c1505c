internal import Engine

/// What the results of one check say about one endpoint, and when it is to be asked again.
///
/// The rules are Envoy's. The first result decides at once, as nothing else is known of the endpoint. Later a bad one is
/// good after so many checks in a row that pass; a good one is bad after so many in a row that fail, or at once where it
/// answers that it is.
struct HealthMachine: Sendable, Equatable {
    enum Change: Sendable {
        case becameGood
        case becameBad
    }

    private(set) var isGood: Bool
    /// Whether the endpoint has been asked before.
    private(set) var hasResult: Bool
    /// Results in a row that speak against the present verdict.
    private var doubts = 0
    /// Failures in a row.
    private(set) var failures = 0

    /// - Parameters:
    ///   - isGood: what counts until the first result.
    ///   - hasResult: whether that is the word of earlier checks.
    init(isGood: Bool, hasResult: Bool = false) {
        self.isGood = isGood
        self.hasResult = hasResult
    }

    /// Takes a result.
    ///
    /// - Returns: what has changed by it.
    mutating func take(_ result: CheckOutcome.Kind, _ rules: HealthRules) -> Change? {
        let isFirst = !hasResult
        hasResult = true
        failures = result == .passed ? 0 : failures + 1
        guard (result == .passed) != isGood else {
            doubts = 0
            return nil
        }
        doubts += 1
        let threshold = isGood ? rules.unhealthyThreshold : rules.healthyThreshold
        guard isFirst || result == .refused || doubts >= threshold else { return nil }
        doubts = 0
        isGood.toggle()
        return isGood ? .becameGood : .becameBad
    }

    /// The time until the next check.
    ///
    /// - Parameters:
    ///   - hasTraffic: whether a request has gone to the cluster.
    ///   - random: any number, for the jitter.
    func pause(_ rules: HealthRules, hasTraffic: Bool, random: UInt64) -> Nanoseconds {
        let (jittered, overflow) = base(rules, hasTraffic).addingReportingOverflow(
            random.multipliedFullWidth(by: rules.intervalJitter + 1).high)
        return overflow ? .max : jittered
    }

    private func base(_ rules: HealthRules, _ hasTraffic: Bool) -> Nanoseconds {
        if !hasTraffic, let interval = rules.noTrafficInterval { return interval }
        // Whether the last check passed, not whether the endpoint is good, tells which edge this is.
        if failures > 0 { return doubts > 0 ? rules.unhealthyEdgeInterval : rules.unhealthyInterval }
        return doubts > 0 ? rules.healthyEdgeInterval : rules.interval
    }
}
