internal import Engine

/// Picks among the endpoints of one priority.
///
/// A pick allocates nothing; all tables are made when the list of endpoints changes, which is rare.
struct LevelBalancer {
    private let policy: BalancePolicy
    private let tableSize: Int
    private var endpoints: [Endpoint] = []
    /// Those that the tables were made for.
    private var weights: [Int] = []
    private var rotation = Rotation()
    private var lottery = Lottery()
    private var ring = HashRing()
    private var table = MaglevTable()

    init(_ policy: BalancePolicy, tableSize: Int) {
        self.policy = policy
        self.tableSize = tableSize
    }

    /// Takes a new list; nothing is made anew where it is the same.
    mutating func update(to next: [Endpoint], _ generator: inout SplitMix) {
        let nextWeights = next.map(\.weight)
        if nextWeights == weights, next.elementsEqual(endpoints, by: ===) { return }
        endpoints = next
        weights = nextWeights
        switch policy {
        case .roundRobin: rotation.update(weights, &generator)
        case .leastRequest, .random, .peakEwma: lottery.update(weights)
        case .ringHash:
            lottery.update(weights)
            ring.update(endpoints)
        case .maglev:
            lottery.update(weights)
            table.update(endpoints, size: tableSize)
        }
    }

    /// As ``Balancer/pick(hash:avoiding:)``; where all are avoided, one of them.
    @inline(__always)
    mutating func pick(hash: UInt64?, avoiding avoided: [Endpoint], _ generator: inout SplitMix) -> Endpoint? {
        guard endpoints.count > 1 else { return endpoints.first }
        let index = next(hash, &generator)
        let picked = endpoints[index]
        if avoided.isEmpty || !avoided.contains(where: { $0 === picked }) { return picked }
        return another(than: index, hash, avoiding: avoided, &generator) ?? picked
    }

    @inline(__always)
    private mutating func next(_ hash: UInt64?, _ generator: inout SplitMix) -> Int {
        switch policy {
        case .roundRobin: return rotation.next()
        case .leastRequest: return lessBusyOfTwo(&generator)
        case .random: return lottery.draw(&generator)
        case .ringHash:
            guard let hash else { return lottery.draw(&generator) }
            return ring.owner(of: hash)
        case .maglev:
            guard let hash, let owner = table.owner(of: hash) else { return lottery.draw(&generator) }
            return owner
        case .peakEwma: return soonerOfTwo(&generator)
        }
    }

    private mutating func another(
        than index: Int, _ hash: UInt64?, avoiding avoided: [Endpoint], _ generator: inout SplitMix
    ) -> Endpoint? {
        if policy.isByHash, let hash {
            let others = avoided.compactMap { one in endpoints.firstIndex { $0 === one } }
            guard others.count < endpoints.count else { return nil }
            if policy == .ringHash { return endpoints[ring.owner(of: hash, avoiding: others)] }
            if let owner = table.owner(of: hash, avoiding: others) { return endpoints[owner] }
        }
        // One with a large share may come several times in a row; then whoever stands beside it has to do.
        for _ in 0..<4 {
            let next = endpoints[next(nil, &generator)]
            if !avoided.contains(where: { $0 === next }) { return next }
        }
        for step in 1..<endpoints.count {
            let next = endpoints[(index + step) % endpoints.count]
            if !avoided.contains(where: { $0 === next }) { return next }
        }
        return nil
    }

    /// Two are drawn by lot, by weight.
    @inline(__always)
    private func two(_ generator: inout SplitMix) -> (Int, Int) {
        let first = lottery.draw(&generator)
        let second = lottery.draw(&generator)
        if second != first { return (first, second) }
        return (first, first + 1 < endpoints.count ? first + 1 : 0)
    }

    /// Of two, the one that has more to do for its weight is left alone.
    private func lessBusyOfTwo(_ generator: inout SplitMix) -> Int {
        let (first, second) = two(&generator)
        let firstLoad = endpoints[first].load * endpoints[second].weight
        let secondLoad = endpoints[second].load * endpoints[first].weight
        return secondLoad < firstLoad ? second : first
    }

    /// Of two, the one whose answer is to be expected sooner, for what it has to do and its weight. One of which nothing
    /// is known yet is compared by load alone: that neither drives requests to it nor keeps them away.
    private func soonerOfTwo(_ generator: inout SplitMix) -> Int {
        let (first, second) = two(&generator)
        let one = endpoints[first]
        let other = endpoints[second]
        var cost = Double((other.load + 1) * one.weight)
        if let latency = other.latency, let known = one.latency { cost *= latency.ratio(to: known) }
        return cost < Double((one.load + 1) * other.weight) ? second : first
    }
}
