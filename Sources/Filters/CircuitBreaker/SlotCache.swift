internal import FilterAPI

/// One worker's slots by the route and the cluster or endpoint of a request.
///
/// Names are told apart by identity, and are kept here, so that no other name can come to have the same one.
struct SlotCache {
    private struct Key: Hashable {
        var route: ObjectIdentifier?
        var subject: ObjectIdentifier?

        init(_ route: FactName?, _ subject: FactName?) {
            self.route = route.map { ObjectIdentifier($0) }
            self.subject = subject.map { ObjectIdentifier($0) }
        }
    }

    private struct Entry {
        var route: FactName?
        var subject: FactName?
        var slot: BreakerSlot
    }

    private let limit: Int
    private var entries: [Key: Entry] = [:]
    private var last: Entry?

    /// - Parameter limit: how many slots are kept; more begin anew.
    init(limit: Int = 10_000) { self.limit = limit }

    /// The slot of a route and a subject, if there is one; mostly the one that was asked for before.
    mutating func find(_ route: FactName?, _ subject: FactName?) -> BreakerSlot? {
        if let last, last.route === route, last.subject === subject { return last.slot }
        guard let entry = entries[Key(route, subject)] else { return nil }
        last = entry
        return entry.slot
    }

    mutating func add(_ slot: BreakerSlot, _ route: FactName?, _ subject: FactName?) {
        if entries.count >= limit { entries.removeAll() }
        let entry = Entry(route: route, subject: subject, slot: slot)
        entries[Key(route, subject)] = entry
        last = entry
    }
}
