internal import FilterAPI

/// Looks at the status of an answer, and for what its body must have.
struct HTTPJudge: AnswerJudge {
    private let question: HTTPQuestion
    private var status: Int?
    private var matcher: BlockMatcher

    init(_ question: HTTPQuestion) {
        self.question = question
        matcher = BlockMatcher(question.body.isEmpty ? [] : [question.body])
    }

    mutating func take(_ head: borrowing ResponseHead) { status = head.status.code }
    mutating func take(_ bytes: borrowing RawSpan) { matcher.take(bytes) }
    mutating func take(trailers: borrowing Headers) {}

    func refusal(isOver: Bool) -> CheckOutcome? {
        guard let status else { return nil }
        if !question.expected.contains(status) {
            let isPatient = question.retriable.contains(status)
            return CheckOutcome(kind: isPatient ? .postponed : .refused, cause: "status \(status)")
        }
        // Whether the body has what it should is only known at its end.
        return !isOver || matcher.isDone ? nil : CheckOutcome(kind: .refused, cause: "body")
    }
}
