/// The outcome of a gRPC call, which stands in `grpc-status`, as a rule in the trailers (gRPC over HTTP/2, Responses).
public struct GRPCStatus: Sendable, Equatable {
    /// The number, from 0 to 16.
    public var code: Int

    /// A status from its number.
    public init(_ code: Int) { self.code = code }

    /// 0: it succeeded.
    public static let ok = GRPCStatus(0)
    /// 1: the caller gave it up.
    public static let cancelled = GRPCStatus(1)
    /// 2: no other status fits.
    public static let unknown = GRPCStatus(2)
    /// 4: the deadline passed.
    public static let deadlineExceeded = GRPCStatus(4)
    /// 7: the caller may not do this.
    public static let permissionDenied = GRPCStatus(7)
    /// 8: something is used up.
    public static let resourceExhausted = GRPCStatus(8)
    /// 12: the method is not there.
    public static let unimplemented = GRPCStatus(12)
    /// 13: something is broken.
    public static let internalError = GRPCStatus(13)
    /// 14: not now; it may be tried again.
    public static let unavailable = GRPCStatus(14)
    /// 16: nobody knows who the caller is.
    public static let unauthenticated = GRPCStatus(16)

    /// What a status of HTTP means to a gRPC client (gRPC, HTTP to gRPC Status Code Mapping).
    public init(for status: Status) {
        switch status.code {
        case 400: self = .internalError
        case 401: self = .unauthenticated
        case 403: self = .permissionDenied
        case 404: self = .unimplemented
        case 429, 502, 503, 504: self = .unavailable
        default: self = .unknown
        }
    }

    /// What the fields of a head, or the trailers, say; nil where they say nothing that is a number.
    public init?(in headers: borrowing Headers) {
        let index = headers.index(of: .grpcStatus)
        guard index >= 0, let code = ASCII.number(headers.value(at: index)) else { return nil }
        self.init(code)
    }
}

extension Headers {
    /// Whether the message belongs to a gRPC call: its content type is `application/grpc`, alone or with a suffix
    /// (`application/grpc+proto`); gRPC-Web, which is another protocol, is none.
    public var isGRPC: Bool {
        let index = index(of: .contentType)
        guard index >= 0 else { return false }
        let type = value(at: index)
        guard type.byteCount >= 16, ASCII.equalIgnoringCase(type.extracting(0..<16), "application/grpc") else {
            return false
        }
        guard type.byteCount > 16 else { return true }
        // SAFETY: the length has been looked at.
        let next = unsafe type.unsafeLoad(fromByteOffset: 16, as: UInt8.self)
        return next == UInt8(ascii: "+") || next == UInt8(ascii: ";") || next == UInt8(ascii: " ")
    }
}
