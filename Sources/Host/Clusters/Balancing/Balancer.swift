internal import Engine

/// Picks endpoints of one cluster on one worker: first the level, by its share of the requests, then one of it.
///
/// A pick allocates nothing; all tables are made when the list of endpoints changes, which is rare.
struct Balancer {
    private let policy: BalancePolicy
    private let tableSize: Int
    private let decay: Nanoseconds
    private var generator: SplitMix
    /// The only level, in most clusters; the one that serves first.
    private var first: LevelBalancer
    /// The other levels.
    private var others: [LevelBalancer] = []
    /// Up to which lot each level has the requests, the first one included.
    private var limits: [Int] = []

    /// - Parameters:
    ///   - seed: two balancers with the same one make the same choices.
    ///   - tableSize: slots of ``BalancePolicy/maglev``, a prime.
    ///   - decay: how fast ``BalancePolicy/peakEwma`` forgets.
    init(_ policy: BalancePolicy, seed: UInt64, tableSize: Int = 65_537, decay: Nanoseconds = 10_000_000_000) {
        self.policy = policy
        self.tableSize = tableSize
        self.decay = decay
        generator = SplitMix(seed: seed)
        first = LevelBalancer(policy, tableSize: tableSize)
    }

    /// Takes a new list.
    ///
    /// - Parameter levels: which of the endpoints are of which level; empty where all are of one.
    mutating func update(to endpoints: [Endpoint], levels: [EndpointLevel] = []) {
        if policy == .peakEwma {
            for endpoint in endpoints where endpoint.latency == nil { endpoint.latency = PeakLatency(decay: decay) }
        }
        guard let one = levels.first, levels.count > 1 else {
            others = []
            return first.update(to: endpoints, &generator)
        }
        first.update(to: Array(endpoints[one.range]), &generator)
        while others.count + 1 < levels.count { others.append(LevelBalancer(policy, tableSize: tableSize)) }
        others.removeLast(others.count + 1 - levels.count)
        limits = [one.share]
        for (index, level) in levels.dropFirst().enumerated() {
            others[index].update(to: Array(endpoints[level.range]), &generator)
            limits.append(limits[index] + level.share)
        }
    }

    /// The endpoint for the next request; nil where the list is empty.
    ///
    /// - Parameters:
    ///   - hash: what the request is known by, for policies that go by it.
    ///   - avoided: endpoints that are only picked where there is no other, in whatever level.
    mutating func pick(hash: UInt64?, avoiding avoided: [Endpoint]) -> Endpoint? {
        if others.isEmpty { return first.pick(hash: hash, avoiding: avoided, &generator) }
        return pickAmongLevels(hash, avoided)
    }

    private mutating func pickAmongLevels(_ hash: UInt64?, _ avoided: [Endpoint]) -> Endpoint? {
        let level = drawLevel(hash)
        let picked = pick(from: level, hash, avoided)
        guard let picked, avoided.contains(where: { $0 === picked }) else { return picked }
        for other in 0...others.count where other != level {
            guard let next = pick(from: other, hash, avoided) else { continue }
            if !avoided.contains(where: { $0 === next }) { return next }
        }
        return picked
    }

    private mutating func pick(from level: Int, _ hash: UInt64?, _ avoided: [Endpoint]) -> Endpoint? {
        level == 0
            ? first.pick(hash: hash, avoiding: avoided, &generator)
            : others[level - 1].pick(hash: hash, avoiding: avoided, &generator)
    }

    /// A level by its share. What goes by hash stays on its level too, as long as the shares are the same.
    private mutating func drawLevel(_ hash: UInt64?) -> Int {
        let whole = EndpointLevel.wholeShare
        var lot = 0
        if policy.isByHash, let hash {
            // Other bits than those that pick the endpoint, or a level would have one side of its ring only.
            lot = Int(SplitMix.mix(~SplitMix.mix(hash)) % UInt64(whole))
        } else {
            lot = generator.below(whole)
        }
        return limits.firstIndex { lot < $0 } ?? 0
    }
}
