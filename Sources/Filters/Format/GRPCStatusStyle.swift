internal import FilterAPI

/// How `%GRPC_STATUS(…)%` writes the outcome of a gRPC call.
enum GRPCStatusStyle: String, Sendable, CaseIterable {
    case camel = "CAMEL_STRING"
    case snake = "SNAKE_STRING"
    case number = "NUMBER"

    private static let camelNames: [StaticString] = [
        "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists",
        "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented",
        "Internal", "Unavailable", "DataLoss", "Unauthenticated",
    ]
    private static let snakeNames: [StaticString] = [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ]

    /// Appends a status; one that gRPC has no name for by its number.
    func append(_ code: Int, _ text: inout ByteText) {
        let names = self == .camel ? Self.camelNames : Self.snakeNames
        guard self != .number, names.indices.contains(code) else { return text.append(decimal: code) }
        text.append(names[code])
    }

    /// The outcome of a call: what the trailers or the head say, else what the status of HTTP means; nil for other
    /// requests than calls, and where there was no answer.
    static func code(of subject: borrowing FormatSubject) -> Int? {
        guard subject.request.headers.isGRPC else { return nil }
        if let status = subject.withTrailers({ GRPCStatus(in: $0) }), let status { return status.code }
        if let status = subject.withResponse({ GRPCStatus(in: $0.headers) }), let status { return status.code }
        let code = subject.facts.status
        return code == 0 ? nil : GRPCStatus(for: Status(code)).code
    }
}
