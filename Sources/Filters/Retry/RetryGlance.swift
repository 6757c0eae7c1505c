internal import FilterAPI

/// What a policy has to say to most answers, in a few numbers: that they are good.
struct RetryGlance {
    /// No status below this one is wanted.
    let lowestStatus: Int
    /// Whether fields of answers are looked at.
    let hasFields: Bool
    /// Whether the outcomes of gRPC calls are looked at.
    let hasGRPC: Bool
    /// Whether tries have a time limit of their own.
    let hasTimer: Bool

    /// Before the policy is known.
    static let everything = RetryGlance(lowestStatus: 0, hasFields: true, hasGRPC: true, hasTimer: false)

    /// Whether the policy has to look closely.
    @inline(__always)
    func mayWant(_ head: borrowing ResponseHead) -> Bool {
        head.status.code >= lowestStatus || hasFields || hasGRPC && head.headers.isGRPC
    }
}
