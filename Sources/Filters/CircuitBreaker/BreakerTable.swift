internal import FilterAPI
internal import Synchronization

/// All breakers of the process, by what they are for. Asked once per worker and name.
final class BreakerTable: Sendable {
    private struct Entry {
        /// nil where it may go as soon as no worker uses it.
        var kept: Breaker?
        weak var used: Breaker?
    }

    /// How many requests wait, over all breakers.
    let waiting: GaugeTally
    /// How many breakers are open or half-open.
    let open: GaugeTally
    private let limit: Int
    private let entries = Mutex<[BreakerKey: Entry]>([:])
    private let common: Breaker

    /// - Parameter limit: how many breakers there may be; all others share one.
    init(waiting: Gauge, open: Gauge, limit: Int = 10_000) {
        self.waiting = GaugeTally(waiting)
        self.open = GaugeTally(open)
        self.limit = limit
        common = Breaker(name: "all others", waiting: self.waiting)
    }

    /// The breaker for a key.
    ///
    /// - Returns: it, and whether it is one that many keys share, because there are too many of them.
    func breaker(_ key: BreakerKey) -> (breaker: Breaker, isShared: Bool) {
        entries.withLock { entries in
            if let entry = entries[key], let known = entry.kept ?? entry.used {
                entries[key]?.kept = known
                return (known, false)
            }
            if entries.count >= limit { Self.forgetUnused(&entries) }
            guard entries.count < limit else { return (common, true) }
            let fresh = Breaker(name: key.name, waiting: waiting)
            entries[key] = Entry(kept: fresh, used: fresh)
            return (fresh, false)
        }
    }

    /// Lets go of those that say nothing. Who uses one has a hold of its own, so that there are never two for one key.
    private static func forgetUnused(_ entries: inout [BreakerKey: Entry]) {
        for (key, entry) in entries where entry.kept?.isIdle ?? false { entries[key]?.kept = nil }
        entries = entries.filter { $0.value.kept != nil || $0.value.used != nil }
    }
}

/// What a breaker is for.
struct BreakerKey: Hashable {
    /// In words: `cluster app`.
    var name: String
    /// What tells routes without a name apart.
    var numbers: CircuitBreaker.RouteSettings?
}
