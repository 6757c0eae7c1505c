internal import FilterAPI

/// Compressors or decompressors that nobody uses now, for those that come next.
///
/// There are never more than a bound, and those that were not needed for some time are let go.
struct SpareStates<Item: AnyObject> {
    private var spare: [Item] = []
    /// The fewest that there were since `began`: so many were never needed.
    private var fewest = 0
    private var began = Instant.none

    private static var most: Int { 16 }
    private static var time: Duration { .seconds(10) }

    init() { spare.reserveCapacity(Self.most) }

    /// How many there are.
    var count: Int { spare.count }

    /// One to use, if there is one.
    mutating func take() -> Item? {
        let item = spare.popLast()
        fewest = min(fewest, spare.count)
        return item
    }

    /// Gives one back.
    mutating func put(_ item: Item, now: Instant) {
        if spare.count < Self.most { spare.append(item) }
        if began == .none { began = now }
        guard now.since(began) >= Self.time else { return }
        spare.removeFirst(min(fewest, spare.count))
        began = now
        fewest = spare.count
    }
}
