/// The endpoints of one priority in a list of those that serve.
struct EndpointLevel: Sendable, Equatable {
    /// What the shares of all levels are together.
    static let wholeShare = 10_000

    /// Which entries of the list.
    let range: Range<Int>
    /// How many of ``wholeShare`` requests go here; 0 for a level that only steps in where a request avoids the others.
    let share: Int
}
