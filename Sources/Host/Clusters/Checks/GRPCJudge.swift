internal import FilterAPI

/// Looks whether an answer is a message that says SERVING, and a status that says OK.
struct GRPCJudge: AnswerJudge {
    private var problem: String?
    private var bytes: [UInt8] = []
    private var status: GRPCStatus?

    mutating func take(_ head: borrowing ResponseHead) {
        if head.status != 200 {
            problem = "status \(head.status.code)"
        } else if !head.headers.isGRPC {
            problem = "not gRPC"
        }
        status = GRPCStatus(in: head.headers)
    }

    mutating func take(_ bytes: borrowing RawSpan) {
        for index in 0..<bytes.byteCount where self.bytes.count < HealthMessage.limit {
            self.bytes.append(bytes.byte(at: index))
        }
    }

    mutating func take(trailers: borrowing Headers) { status = GRPCStatus(in: trailers) ?? status }

    func refusal(isOver: Bool) -> CheckOutcome? {
        if let problem { return CheckOutcome(kind: .refused, cause: problem) }
        guard isOver else { return nil }
        guard let status else { return CheckOutcome(kind: .refused, cause: "no grpc-status") }
        if status != .ok { return CheckOutcome(kind: .refused, cause: "grpc-status \(status.code)") }
        let answer = HealthMessage.status(in: bytes)
        return answer == .serving ? nil : CheckOutcome(kind: .refused, cause: answer?.rawValue ?? "not a message")
    }
}
