internal import FilterAPI

/// What an endpoint is asked over HTTP, and what its answer means.
protocol RequestQuestion: Sendable {
    /// Whether the connection is kept for the next time.
    var reuses: Bool { get }
    /// What is sent behind the head; empty for none.
    var message: [UInt8] { get }
    /// Fills the head of the request.
    func fill(_ head: inout RequestHead, for endpoint: Endpoint)
    /// Looks at one answer.
    func makeJudge() -> any AnswerJudge
}

/// Looks at one answer as it comes.
protocol AnswerJudge {
    /// The head has come.
    mutating func take(_ head: borrowing ResponseHead)
    /// A piece of the body has come.
    mutating func take(_ bytes: borrowing RawSpan)
    /// Trailers have come.
    mutating func take(trailers: borrowing Headers)
    /// What the answer says against the endpoint, as far as it has come; nil for nothing.
    ///
    /// - Parameter isOver: whether nothing more comes, or is read.
    func refusal(isOver: Bool) -> CheckOutcome?
}
