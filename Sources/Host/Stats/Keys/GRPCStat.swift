internal import FilterAPI

/// What is counted of the gRPC calls that a cluster's upstreams have answered, by the status that each ended with.
enum GRPCStat: Int, StatKey {
    case total, success, failure
    case status0, status1, status2, status3, status4, status5, status6, status7, status8, status9, status10, status11
    case status12, status13, status14, status15, status16

    static let entries: [StatSchema.Entry] =
        [
            .init(.counter("total", "Calls that ended with a status.")),
            .init(.counter("success", "Calls that ended with 0, OK.")),
            .init(.counter("failure", "Calls that ended with another status.")),
        ]
        + (0...16).map { code in
            .init(
                .counter("\(code)", "Calls that ended with \(code), \(names[code])."), prometheus: "status_total",
                label: "grpc_status=\"\(code)\"")
        }

    static let schema = StatSchema(entries)

    /// How the specification calls the statuses.
    private static let names = [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ]

    /// The counter of a status; clients take what they do not know for UNKNOWN.
    static func of(_ status: GRPCStatus) -> GRPCStat {
        0...16 ~= status.code ? GRPCStat(rawValue: status0.rawValue + status.code) ?? .status2 : .status2
    }
}
