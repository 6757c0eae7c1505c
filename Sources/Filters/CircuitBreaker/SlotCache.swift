internal import FilterAPI

/// One worker's slots by the route and the cluster or endpoint of a request.
///
/// Names are told apart by identity, and are kept here, so that no other name can come to have the same one.
///
/// SAFETY: `entries` keeps the last slot alive; `last` is forgotten with them.
@safe
struct SlotCache {
    private struct Key: Hashable {
        var route: ObjectIdentifier?
        var subject: ObjectIdentifier?
    }

    private struct Entry {
        var route: FactName?
        var subject: FactName?
        var slot: BreakerSlot
    }

    private let limit: Int
    private var entries: [Key: Entry] = [:]
    private var lastKey = Key()
    private var last: Unmanaged<BreakerSlot>?

    /// - Parameter limit: how many slots are kept; more begin anew.
    init(limit: Int = 10_000) {
        self.limit = limit
        unsafe last = nil
    }

    /// The slot of a route and a subject, if there is one; mostly the one that was asked for before. Not counted: good until
    /// the next call.
    mutating func find(_ route: ObjectIdentifier?, _ subject: ObjectIdentifier?) -> Unmanaged<BreakerSlot>? {
        if let last = unsafe last, lastKey.route == route, lastKey.subject == subject { return unsafe last }
        let key = Key(route: route, subject: subject)
        guard let entry = entries[key] else { return nil }
        lastKey = key
        unsafe last = Unmanaged.passUnretained(entry.slot)
        return unsafe last
    }

    mutating func add(_ slot: BreakerSlot, _ route: FactName?, _ subject: FactName?) {
        if entries.count >= limit { entries.removeAll() }
        let key = Key(route: StreamFacts.identity(route), subject: StreamFacts.identity(subject))
        entries[key] = Entry(route: route, subject: subject, slot: slot)
        lastKey = key
        unsafe last = Unmanaged.passUnretained(slot)
    }
}
