/// How one health check of one endpoint ended.
struct CheckOutcome: Sendable, Equatable {
    enum Kind: Sendable {
        case passed
        /// The endpoint says, or shows, that it must not be used: one such answer is enough.
        case refused
        /// The endpoint asks for patience.
        case postponed
        /// There was no answer that could be understood, or none in time.
        case unreachable
    }

    let kind: Kind
    /// Why, in a few words; empty where the check passed.
    let cause: String

    static let passed = CheckOutcome(kind: .passed, cause: "")
}
