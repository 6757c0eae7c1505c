internal import FilterAPI

/// What a request is tried again for, by the names that Envoy's users know.
public enum RetryCondition: String, Codable, Sendable, CaseIterable {
    /// Any status of 500 and above, or no answer at all.
    case serverError = "5xx"
    /// 502, 503 and 504, or no answer at all.
    case gatewayError = "gateway-error"
    /// No answer at all: the connection failed, was closed or reset, the answer was not valid, or a try took too long.
    case reset
    /// The connection was closed or reset before any part of the request was sent.
    case resetBeforeRequest = "reset-before-request"
    /// No connection could be made, or it could not be secured.
    case connectFailure = "connect-failure"
    /// The upstream said that it has not looked at the request.
    case refusedStream = "refused-stream"
    /// 409.
    case retriable4xx = "retriable-4xx"
    /// The statuses in `status_codes`.
    case retriableStatusCodes = "retriable-status-codes"
    /// The fields in `response_headers`.
    case retriableHeaders = "retriable-headers"
    /// gRPC status 1.
    case cancelled
    /// gRPC status 4.
    case deadlineExceeded = "deadline-exceeded"
    /// gRPC status 13.
    case internalError = "internal"
    /// gRPC status 8.
    case resourceExhausted = "resource-exhausted"
    /// gRPC status 14.
    case unavailable
}

/// Several conditions at once.
struct RetryConditions: OptionSet {
    let rawValue: UInt32

    init(rawValue: UInt32) { self.rawValue = rawValue }

    init(_ condition: RetryCondition) {
        let place = RetryCondition.allCases.firstIndex(of: condition) ?? 0
        self.init(rawValue: 1 << UInt32(place))
    }

    init(_ conditions: [RetryCondition]) {
        self = conditions.reduce(into: []) { $0.formUnion(RetryConditions($1)) }
    }

    static let serverError = RetryConditions(.serverError)
    static let gatewayError = RetryConditions(.gatewayError)
    static let reset = RetryConditions(.reset)
    static let resetBeforeRequest = RetryConditions(.resetBeforeRequest)
    static let connectFailure = RetryConditions(.connectFailure)
    static let refusedStream = RetryConditions(.refusedStream)
    static let retriable4xx = RetryConditions(.retriable4xx)
    static let retriableStatusCodes = RetryConditions(.retriableStatusCodes)
    static let retriableHeaders = RetryConditions(.retriableHeaders)
    static let cancelled = RetryConditions(.cancelled)
    static let deadlineExceeded = RetryConditions(.deadlineExceeded)
    static let internalError = RetryConditions(.internalError)
    static let resourceExhausted = RetryConditions(.resourceExhausted)
    static let unavailable = RetryConditions(.unavailable)

    /// Those that look at a gRPC status.
    static let grpc: RetryConditions = [
        .cancelled, .deadlineExceeded, .internalError, .resourceExhausted, .unavailable,
    ]
    /// Those for which no answer at all is one of the cases.
    static let noAnswer: RetryConditions = [.serverError, .gatewayError, .reset]

    /// The condition that asks for a gRPC status; none where no condition does.
    init(asking status: GRPCStatus) {
        switch status {
        case .cancelled: self = .cancelled
        case .deadlineExceeded: self = .deadlineExceeded
        case .internalError: self = .internalError
        case .resourceExhausted: self = .resourceExhausted
        case .unavailable: self = .unavailable
        default: self = []
        }
    }
}
