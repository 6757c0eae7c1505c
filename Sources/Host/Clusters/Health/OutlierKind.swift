internal import FilterAPI

/// By which of its marks a bad endpoint was found. The words are those of Envoy's counters.
enum OutlierKind: String, Sendable, CaseIterable {
    /// Answers with 5xx in a row.
    case consecutive5xx = "consecutive_5xx"
    /// Answers with 502, 503 or 504 in a row.
    case consecutiveGatewayFailure = "consecutive_gateway_failure"
    /// Faults on the way in a row, where they are counted apart.
    case consecutiveLocalOriginFailure = "consecutive_local_origin_failure"
    /// A share of good answers far below that of the others.
    case successRate = "success_rate"
    /// The same of the tries that got an answer at all.
    case localOriginSuccessRate = "local_origin_success_rate"
    /// A large share of bad answers.
    case failurePercentage = "failure_percentage"
    /// A large share of tries that got no answer.
    case localOriginFailurePercentage = "local_origin_failure_percentage"
}

extension EnforcingSettings {
    func share(of kind: OutlierKind) -> Percent {
        switch kind {
        case .consecutive5xx: consecutive5xx
        case .consecutiveGatewayFailure: consecutiveGatewayFailure
        case .consecutiveLocalOriginFailure: consecutiveLocalOriginFailure
        case .successRate: successRate
        case .localOriginSuccessRate: localOriginSuccessRate
        case .failurePercentage: failurePercentage
        case .localOriginFailurePercentage: failurePercentageLocalOrigin
        }
    }
}
