/// A reason, for those who find it in a log: `sluice explain` and the manual's list of reasons are made of these.
///
/// A filter names its own in ``Manifest/reasons``: each word that it gives to a ``Fault`` or to ``StreamFacts/reason``.
public struct ReasonDescription: Sendable, Equatable {
    /// The word: `http1.bare_lf`.
    public var reason: String
    /// The kinds of faults that it comes with, which say what the client gets and which flag the log has; empty where
    /// it comes with none.
    public var kinds: [Fault.Kind]
    /// What happened, in one sentence or two.
    public var meaning: String
    /// What to look at, or to change.
    public var advice: String
    /// What the client gets and the log says, where the kinds do not say it: `429 with the flag RL`.
    public var outcome: String?
    /// Whose doing it was, where the kinds do not say it.
    public var origin: Fault.Origin?

    /// From its parts.
    public init(
        _ reason: String, _ kinds: [Fault.Kind] = [], _ meaning: String, lookAt advice: String = "",
        outcome: String? = nil, origin: Fault.Origin? = nil
    ) {
        self.reason = reason
        self.kinds = kinds
        self.meaning = meaning
        self.advice = advice
        self.outcome = outcome
        self.origin = origin
    }
}
