internal import Engine
internal import FilterAPI

/// Which endpoints of a cluster serve at one moment, with what weights, and what share of the requests each level gets.
///
/// Good ones serve. Where too few of a level are good, and the levels together cannot carry everything, the cause is
/// more likely the network or the check than all of them at once: then all of the level serve ("panic"). And if still
/// fewer serve than the floor says, the bad ones that went bad last are kept.
struct ServingSet {
    /// A level counts for this much more than the share of it that is good, so that it can lose some before the next one
    /// gets anything (Envoy's overprovisioning factor).
    static let overprovisioning = (times: 14, over: 10)

    /// What the workers get.
    private(set) var list = EndpointList()
    /// Bad ones that serve because of the floor only.
    private(set) var kept: Set<SocketAddress> = []
    /// The priorities of which all serve because too few are good.
    private(set) var panicking: Set<Int> = []
    /// A weight is still growing: somebody has to look again.
    private(set) var isGrowing = false

    /// One endpoint, while it is decided upon.
    fileprivate struct Candidate {
        let entry: EndpointList.Entry
        let status: EndpointStatus
        var serves: Bool
    }

    /// The endpoints of one priority.
    fileprivate struct Level {
        let priority: Int
        var candidates: [Candidate]
        var isPanicking = false

        var goodCount: Int { candidates.count { $0.status.isGood } }

        /// Nobody serves who is bad.
        var isHealthy: Bool { candidates.allSatisfy { !$0.serves || $0.status.isGood } }

        var servingCount: Int { candidates.count { $0.serves } }

        /// How much of all requests it can carry, in parts of ``EndpointLevel/wholeShare``.
        var capacity: Int {
            let (times, over) = ServingSet.overprovisioning
            return min(
                EndpointLevel.wholeShare, EndpointLevel.wholeShare * goodCount * times / (candidates.count * over))
        }
    }

    /// - Parameters:
    ///   - known: all endpoints, in any order.
    ///   - now: on the clock of the statuses.
    init(
        _ known: EndpointList, rules: ServingRules, at now: Nanoseconds, status: (SocketAddress) -> EndpointStatus
    ) {
        let entries = Self.present(known, status)
        var levels = Self.levels(of: entries, status)
        panic(&levels, rules)
        keep(rules.floor(of: entries.count), &levels)
        let growth = rules.slowStart.flatMap { Self.growth($0, in: levels, at: now) }
        isGrowing = growth != nil
        for (level, share) in zip(levels, Self.shares(of: levels)) {
            let entries = level.candidates.filter(\.serves).map { candidate in
                var entry = candidate.entry
                if let growth { entry.weight = growth.weight(of: candidate, in: level, at: now) }
                return entry
            }
            list.append(entries, share: share)
        }
        list.isUnresolved = known.entries.isEmpty
        list.awaitsNames = known.awaitsNames
    }

    /// Without those who have not shown yet that they serve: that they do not says nothing of the others, nor of the
    /// network.
    private static func present(
        _ known: EndpointList, _ status: (SocketAddress) -> EndpointStatus
    ) -> [EndpointList.Entry] {
        let present = known.entries.filter { !status($0.address).awaitsFirstPass }
        return present.isEmpty ? known.entries : present
    }

    private static func levels(
        of entries: [EndpointList.Entry], _ status: (SocketAddress) -> EndpointStatus
    ) -> [Level] {
        let byPriority = Dictionary(grouping: entries, by: \.priority)
        return byPriority.keys.sorted().map { priority in
            let candidates = (byPriority[priority] ?? []).map { entry in
                let status = status(entry.address)
                return Candidate(entry: entry, status: status, serves: status.isGood)
            }
            return Level(priority: priority, candidates: candidates)
        }
    }

    // MARK: Who serves although it is bad

    private mutating func panic(_ levels: inout [Level], _ rules: ServingRules) {
        // The others carry what a level lacks, and do so without the bad ones.
        if levels.count > 1, Self.capacity(of: levels) >= EndpointLevel.wholeShare { return }
        for index in levels.indices {
            let count = levels[index].candidates.count
            guard rules.isPanic(good: levels[index].goodCount, of: count) else { continue }
            levels[index].isPanicking = true
            panicking.insert(levels[index].priority)
            for place in 0..<count { levels[index].candidates[place].serves = true }
        }
    }

    /// Lets bad ones serve until there are so many: first those that the fewest have a word against, among them those
    /// that went bad last.
    private mutating func keep(_ floor: Int, _ levels: inout [Level]) {
        let missing = floor - levels.reduce(0) { $0 + $1.servingCount }
        guard missing > 0 else { return }
        var bad: [(level: Int, place: Int, status: EndpointStatus)] = []
        for (index, level) in levels.enumerated() {
            for (place, one) in level.candidates.enumerated() where !one.serves {
                bad.append((index, place, one.status))
            }
        }
        bad.sort { $0.status.isLessBad(than: $1.status) }
        for (level, place, _) in bad.prefix(missing) {
            levels[level].candidates[place].serves = true
            kept.insert(levels[level].candidates[place].entry.address)
        }
    }

    // MARK: Shares

    private static func capacity(of levels: [Level]) -> Int { levels.reduce(0) { $0 + $1.capacity } }

    /// Each level takes what it can of what is left; where all of them together cannot take everything, each takes its
    /// part of what they can. Where there is no capacity at all, or panic everywhere, by the number of those that serve.
    private static func shares(of levels: [Level]) -> [Int] {
        let whole = EndpointLevel.wholeShare
        let total = min(whole, capacity(of: levels))
        if total == 0 || levels.allSatisfy(\.isPanicking) {
            let serving = levels.map(\.servingCount)
            let all = serving.reduce(0, +)
            return all == 0 ? serving : rounded(serving.map { $0 * whole / all })
        }
        var left = whole
        let shares = levels.map { level in
            let share = min(left, level.capacity * whole / total)
            left -= share
            return share
        }
        return rounded(shares)
    }

    /// Gives what rounding has left over to the first level that has anything.
    private static func rounded(_ shares: [Int]) -> [Int] {
        var shares = shares
        guard let first = shares.firstIndex(where: { $0 > 0 }) else { return shares }
        shares[first] += EndpointLevel.wholeShare - shares.reduce(0, +)
        return shares
    }

    // MARK: Weights

    /// The slow start, if there is anyone whose weight grows.
    private static func growth(_ slowStart: SlowStart, in levels: [Level], at now: Nanoseconds) -> SlowStart? {
        let heaviest = levels.flatMap(\.candidates).map(\.entry.weight).max() ?? 0
        let count = levels.reduce(0) { $0 + $1.candidates.count }
        // What goes round by weight multiplies two sums of weights: see ``Rotation``.
        guard heaviest * SlowStart.scale * count < 1 << 31 else { return nil }
        let grows = levels.contains { level in
            level.isHealthy && level.candidates.contains { $0.serves && slowStart.isGrowing($0.status, at: now) }
        }
        return grows ? slowStart : nil
    }
}

extension EndpointStatus {
    fileprivate func isLessBad(than other: Self) -> Bool {
        if objections != other.objections { return objections < other.objections }
        return (badSince ?? 0) > (other.badSince ?? 0)
    }
}

extension SlowStart {
    /// Where bad ones serve too, each that is good is needed at once.
    fileprivate func weight(of one: ServingSet.Candidate, in level: ServingSet.Level, at now: Nanoseconds) -> Int {
        guard level.isHealthy, let start = one.status.healthySince else { return one.entry.weight * Self.scale }
        return weight(one.entry.weight, since: start, at: now)
    }

    fileprivate func isGrowing(_ status: EndpointStatus, at now: Nanoseconds) -> Bool {
        status.healthySince.map { !isOver(since: $0, at: now) } ?? false
    }
}
