/// Picks endpoints of one cluster on one worker.
///
/// A pick allocates nothing; all tables are made when the list of endpoints changes, which is rare.
struct Balancer {
    private let policy: BalancePolicy
    private var generator: SplitMix
    private var endpoints: [Endpoint] = []
    private var rotation = Rotation()
    private var lottery = Lottery()
    private var ring = HashRing()

    /// - Parameter seed: two balancers with the same one make the same choices.
    init(_ policy: BalancePolicy, seed: UInt64) {
        self.policy = policy
        generator = SplitMix(seed: seed)
    }

    /// Takes a new list.
    mutating func update(to endpoints: [Endpoint]) {
        self.endpoints = endpoints
        let weights = endpoints.map(\.weight)
        switch policy {
        case .roundRobin: rotation.update(weights, &generator)
        case .leastRequest, .random: lottery.update(weights)
        case .ringHash:
            lottery.update(weights)
            ring.update(endpoints)
        }
    }

    /// The endpoint for the next request; nil where the list is empty.
    ///
    /// - Parameters:
    ///   - hash: what the request is known by, for ``BalancePolicy/ringHash``.
    ///   - avoided: endpoints that are only picked where there is no other.
    mutating func pick(hash: UInt64?, avoiding avoided: [Endpoint]) -> Endpoint? {
        guard endpoints.count > 1 else { return endpoints.first }
        let index = next(hash)
        let picked = endpoints[index]
        if avoided.isEmpty || !avoided.contains(where: { $0 === picked }) { return picked }
        return another(than: index, hash, avoiding: avoided) ?? picked
    }

    @inline(__always)
    private mutating func next(_ hash: UInt64?) -> Int {
        switch policy {
        case .roundRobin: return rotation.next()
        case .leastRequest: return lessBusyOfTwo()
        case .random: return lottery.draw(&generator)
        case .ringHash:
            guard let hash else { return lottery.draw(&generator) }
            return ring.owner(of: hash)
        }
    }

    private mutating func another(than index: Int, _ hash: UInt64?, avoiding avoided: [Endpoint]) -> Endpoint? {
        if policy == .ringHash, let hash {
            let others = avoided.compactMap { one in endpoints.firstIndex { $0 === one } }
            return others.count < endpoints.count ? endpoints[ring.owner(of: hash, avoiding: others)] : nil
        }
        // One with a large share may come several times in a row; then whoever stands beside it has to do.
        for _ in 0..<4 {
            let next = endpoints[next(nil)]
            if !avoided.contains(where: { $0 === next }) { return next }
        }
        for step in 1..<endpoints.count {
            let next = endpoints[(index + step) % endpoints.count]
            if !avoided.contains(where: { $0 === next }) { return next }
        }
        return nil
    }

    /// Two are drawn by lot, by weight; the one that has more to do for its weight is left alone.
    private mutating func lessBusyOfTwo() -> Int {
        let first = lottery.draw(&generator)
        var second = lottery.draw(&generator)
        if second == first { second = first + 1 < endpoints.count ? first + 1 : 0 }
        let firstLoad = endpoints[first].load * endpoints[second].weight
        let secondLoad = endpoints[second].load * endpoints[first].weight
        return secondLoad < firstLoad ? second : first
    }
}
