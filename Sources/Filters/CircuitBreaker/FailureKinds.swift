internal import FilterAPI

/// What counts as a failure of the upstream.
struct FailureKinds: OptionSet {
    let rawValue: UInt8

    static let status5xx = FailureKinds(rawValue: 1 << 0)
    static let gatewayError = FailureKinds(rawValue: 1 << 1)
    static let connectFailure = FailureKinds(rawValue: 1 << 2)
    static let timeout = FailureKinds(rawValue: 1 << 3)
    static let reset = FailureKinds(rawValue: 1 << 4)
    static let grpc = FailureKinds(rawValue: 1 << 5)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(_ failures: [CircuitBreaker.Failure]) {
        self = []
        for failure in failures { insert(FailureKinds(failure)) }
    }

    private init(_ failure: CircuitBreaker.Failure) {
        self =
            switch failure {
            case .status5xx: .status5xx
            case .gatewayError: .gatewayError
            case .connectFailure: .connectFailure
            case .timeout: .timeout
            case .reset: .reset
            case .grpc: .grpc
            }
    }

    /// Whether a response's status is a failure.
    func count(_ status: Status) -> Bool {
        if status.code < 500 { return false }
        return contains(.status5xx) || contains(.gatewayError) && (502...504).contains(status.code)
    }

    /// Whether a status of gRPC is a failure of the server's, and none of the request's: UNKNOWN, DEADLINE_EXCEEDED,
    /// RESOURCE_EXHAUSTED, INTERNAL or UNAVAILABLE.
    func count(_ status: GRPCStatus) -> Bool {
        guard contains(.grpc) else { return false }
        return switch status.code {
        case 2, 4, 8, 13, 14: true
        default: false
        }
    }

    /// Whether a fault is a failure.
    ///
    /// - Parameter isAnswerDue: the request has been sent whole, so that it is the upstream's turn.
    func count(_ fault: Fault, isAnswerDue: Bool) -> Bool {
        if fault.kind == .idleTimeout { return isAnswerDue && contains(.timeout) }
        guard fault.origin == .upstream else { return false }
        return switch fault.kind {
        case .connectFailed, .connectTimeout, .handshakeFailed, .nameNotResolved: contains(.connectFailure)
        case .upstreamTimeout: contains(.timeout)
        default: contains(.reset)
        }
    }
}
