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
    init(grpcStatus: Int) {
        switch grpcStatus {
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
    /// - Returns: nil where that stands in the trailers, which are to come.
    static func of(_ head: borrowing ResponseHead, last: Bool) -> Outcome? {
        guard head.status.code == 200, isGRPC(head.headers) else { return Outcome(status: head.status.code) }
        return of(grpc: head.headers) ?? (last ? .success : nil)
    }

    /// What a call's status says; nil where there is none.
    static func of(grpc fields: borrowing Headers) -> Outcome? {
        let index = fields.index(of: .grpcStatus)
        guard index >= 0 else { return nil }
        return Outcome(grpcStatus: ASCII.number(fields.value(at: index)) ?? -1)
    }

    /// `application/grpc`, `application/grpc+proto`; not `application/grpc-web`, which ends its calls in the body.
    private static func isGRPC(_ headers: borrowing Headers) -> Bool {
        let index = headers.index(of: .contentType)
        guard index >= 0 else { return false }
        let type = headers.value(at: index)
        guard type.byteCount >= 16, ASCII.equalIgnoringCase(type.extracting(0..<16), "application/grpc") else {
            return false
        }
        guard type.byteCount > 16 else { return true }
        // SAFETY: there are more than 16 bytes.
        let next = unsafe type.unsafeLoad(fromByteOffset: 16, as: UInt8.self)
        return next == UInt8(ascii: "+") || next == UInt8(ascii: ";")
    }
}
