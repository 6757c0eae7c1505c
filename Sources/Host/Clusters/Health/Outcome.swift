internal import FilterAPI

/// How one try of an endpoint ended.
enum Outcome: Sendable, Equatable, CaseIterable {
    /// An answer below 500.
    case success
    /// An answer with 5xx.
    case serverError
    /// An answer with 502, 503 or 504.
    case gatewayError
    /// A fault on the way: no connection, or no answer.
    case localFailure

    /// What an answer's status says.
    @inline(__always)
    init(status: Int) {
        self = status < 500 ? .success : 502...504 ~= status ? .gatewayError : .serverError
    }

    /// What the status of a gRPC call says, translated as Envoy does.
    init(_ status: GRPCStatus) {
        switch status.code {
        // UNKNOWN, UNIMPLEMENTED, INTERNAL, DATA_LOSS
        case 2, 12, 13, 15: self = .serverError
        // DEADLINE_EXCEEDED, UNAVAILABLE
        case 4, 14: self = .gatewayError
        case 0...16: self = .success
        default: self = .serverError
        }
    }

    /// What an answer's head says.
    ///
    /// - Returns: nil where that is known later only: from the trailers of a gRPC call, or because an answer that begins
    ///   well may break off.
    static func of(_ head: borrowing ResponseHead, last: Bool) -> Outcome? {
        var outcome = Outcome(status: head.status.code)
        if head.status.code == 200, head.headers.isGRPC, let status = GRPCStatus(in: head.headers) {
            outcome = Outcome(status)
        }
        return outcome == .success && !last ? nil : outcome
    }
}
