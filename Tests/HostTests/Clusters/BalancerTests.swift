import Engine
import FilterAPI
import Testing

@testable import Host

@Suite("Balancing") struct BalancerTests {
    /// How often each endpoint is picked.
    private func counts(
        _ policy: BalancePolicy, _ weights: [Int], picks: Int, seed: UInt64 = 7, loads: [Int]? = nil,
        hash: (Int) -> UInt64? = { _ in nil }
    ) -> [Int] {
        let endpoints = makeEndpoints(weights)
        for (endpoint, load) in zip(endpoints, loads ?? []) { endpoint.activeRequests = load }
        var balancer = Balancer(policy, seed: seed)
        balancer.update(to: endpoints)
        var counts = Array(repeating: 0, count: weights.count)
        for number in 0..<picks {
            let picked = balancer.pick(hash: hash(number), avoiding: [])
            if let index = endpoints.firstIndex(where: { $0 === picked }) { counts[index] += 1 }
        }
        return counts
    }

    @Test("an empty list has no endpoint, a list of one has that one", arguments: BalancePolicy.allCases)
    func fewEndpoints(policy: BalancePolicy) {
        var balancer = Balancer(policy, seed: 1)
        #expect(balancer.pick(hash: nil, avoiding: []) == nil)
        balancer.update(to: [])
        #expect(balancer.pick(hash: 5, avoiding: []) == nil)
        let one = makeEndpoints([3])
        balancer.update(to: one)
        #expect(balancer.pick(hash: 5, avoiding: [one[0]]) === one[0])
    }

    // MARK: Round robin

    @Test(
        "every round of the rotation has exactly the turns that the weights say, wherever it begins",
        arguments: [[1, 1, 1], [5, 1, 1], [1, 2, 3, 4], [10, 20], [7, 7, 3, 100, 1]], [UInt64(1), 2, 3, 99])
    func exactRounds(weights: [Int], seed: UInt64) {
        let divisor = weights == [10, 20] ? 10 : 1
        let turns = weights.map { $0 / divisor }
        for rounds in [1, 3] {
            let found = counts(.roundRobin, weights, picks: turns.reduce(0, +) * rounds, seed: seed)
            #expect(found == turns.map { $0 * rounds })
        }
    }

    @Test("turns of a heavy endpoint are spread over the round") func smooth() {
        let endpoints = makeEndpoints([6, 1, 1, 1, 1, 1, 1])
        var balancer = Balancer(.roundRobin, seed: 3)
        balancer.update(to: endpoints)
        var longest = 0
        var run = 0
        for _ in 0..<48 {
            run = balancer.pick(hash: nil, avoiding: []) === endpoints[0] ? run + 1 : 0
            longest = max(longest, run)
        }
        #expect(longest <= 3)
    }

    @Test("balancers with different seeds do not all begin with the same endpoint") func beginnings() {
        let endpoints = makeEndpoints([1, 1, 1, 1])
        let first = Set(
            (0..<32).map { seed in
                var balancer = Balancer(.roundRobin, seed: UInt64(seed))
                balancer.update(to: endpoints)
                return balancer.pick(hash: nil, avoiding: []).map { ObjectIdentifier($0) }
            })
        #expect(first.count == 4)
    }

    // MARK: By lot

    @Test(
        "the lot respects weights",
        arguments: [[1, 1], [1, 2, 3, 4], [100, 1], [1, 1, 1, 1, 1, 5]],
        [BalancePolicy.random, .ringHash, .maglev, .leastRequest])
    func lottery(weights: [Int], policy: BalancePolicy) {
        let picks = 20_000
        let total = Double(weights.reduce(0, +))
        // The less busy one of two that are equally idle is the first: the same lot.
        let found = counts(policy, weights, picks: picks)
        for (count, weight) in zip(found, weights) {
            let share = Double(weight) / total
            let deviation = (Double(picks) * share * (1 - share)).squareRoot()
            #expect(abs(Double(count) - Double(picks) * share) < 4.5 * deviation)
        }
    }

    @Test("the same seed makes the same choices") func seeded() {
        #expect(
            counts(.random, [1, 2, 3], picks: 100, seed: 11) == counts(.random, [1, 2, 3], picks: 100, seed: 11))
        #expect(
            counts(.random, [1, 2, 3], picks: 100, seed: 11) != counts(.random, [1, 2, 3], picks: 100, seed: 12))
    }

    @Test("the busiest endpoint gets no request while others are less busy") func busiest() {
        #expect(counts(.leastRequest, [1, 1, 1, 1], picks: 1000, loads: [9, 1, 1, 1])[0] == 0)
        let two = counts(.leastRequest, [1, 1], picks: 1000, loads: [3, 2])
        #expect(two == [0, 1000])
    }

    @Test("a heavy endpoint may have more to do") func busyForItsWeight() {
        #expect(counts(.leastRequest, [10, 1], picks: 1000, loads: [9, 1]) == [1000, 0])
        #expect(counts(.leastRequest, [10, 1], picks: 1000, loads: [11, 1]) == [0, 1000])
    }

    @Test("requests that stay spread evenly, where the lot alone would leave some far behind") func evenLoad() {
        let endpoints = makeEndpoints(Array(repeating: 1, count: 10))
        var balancer = Balancer(.leastRequest, seed: 5)
        balancer.update(to: endpoints)
        for _ in 0..<1000 { balancer.pick(hash: nil, avoiding: [])?.activeRequests += 1 }
        let loads = endpoints.map(\.activeRequests)
        #expect(loads.reduce(0, +) == 1000)
        #expect(loads.allSatisfy { abs($0 - 100) <= 6 }, "\(loads)")
    }

    // MARK: By latency

    /// How often each of several equal endpoints is picked, which have answered in so many milliseconds.
    private func picks(latencies: [UInt64?], loads: [Int], weights: [Int]) -> [Int] {
        let endpoints = makeEndpoints(weights)
        var balancer = Balancer(.peakEwma, seed: 9)
        balancer.update(to: endpoints)
        for (endpoint, latency) in zip(endpoints, latencies) {
            if let latency { endpoint.answered(after: latency * 1_000_000, at: 1) }
        }
        for (endpoint, load) in zip(endpoints, loads) { endpoint.activeRequests = load }
        var counts = weights.map { _ in 0 }
        for _ in 0..<1000 {
            let picked = balancer.pick(hash: nil, avoiding: [])
            if let index = endpoints.firstIndex(where: { $0 === picked }) { counts[index] += 1 }
        }
        return counts
    }

    @Test(
        "of two endpoints the one that answers sooner is picked, for what it has to do and its weight",
        arguments: [
            ([10, 20], [0, 0], [1, 1], 0), ([20, 10], [0, 0], [1, 1], 1), ([10, 20], [2, 0], [1, 1], 1),
            ([10, 20], [0, 5], [1, 1], 0), ([10, 15], [0, 0], [1, 2], 1), ([10, 25], [0, 0], [1, 2], 0),
        ])
    func sooner(latencies: [UInt64], loads: [Int], weights: [Int], expected: Int) {
        #expect(picks(latencies: latencies, loads: loads, weights: weights)[expected] == 1000)
    }

    @Test("an endpoint of which nothing is known is neither flooded nor left out") func unknownLatency() {
        #expect(picks(latencies: [10, nil], loads: [0, 1], weights: [1, 1]) == [1000, 0])
        #expect(picks(latencies: [10, nil], loads: [1, 0], weights: [1, 1]) == [0, 1000])
        let idle = picks(latencies: [10, nil, nil], loads: [0, 0, 0], weights: [1, 1, 1])
        #expect(idle.allSatisfy { $0 > 200 }, "\(idle)")
    }

    @Test("where all answer alike, what each has to do follows its weight") func loadByWeight() {
        let endpoints = makeEndpoints([1, 2, 3, 4])
        var balancer = Balancer(.peakEwma, seed: 4)
        balancer.update(to: endpoints)
        for endpoint in endpoints { endpoint.answered(after: 1000, at: 1) }
        for _ in 0..<1000 { balancer.pick(hash: nil, avoiding: [])?.activeRequests += 1 }
        for endpoint in endpoints {
            #expect(abs(endpoint.activeRequests - 100 * endpoint.weight) <= 20, "\(endpoint.activeRequests)")
        }
    }

    // MARK: Levels

    private func leveled(_ policy: BalancePolicy, shares: [Int]) -> (endpoints: [Endpoint], balancer: Balancer) {
        let endpoints = makeEndpoints(Array(repeating: 1, count: 2 * shares.count))
        var balancer = Balancer(policy, seed: 3)
        let levels = shares.enumerated().map { EndpointLevel(range: 2 * $0..<2 * $0 + 2, share: $1) }
        balancer.update(to: endpoints, levels: levels)
        return (endpoints, balancer)
    }

    @Test(
        "each level has its share of the requests, and each endpoint its part of that",
        arguments: BalancePolicy.allCases, [[10_000, 0], [7000, 3000], [0, 10_000], [3500, 3500, 3000]])
    func levels(policy: BalancePolicy, shares: [Int]) {
        var (endpoints, balancer) = leveled(policy, shares: shares)
        var counts = endpoints.map { _ in 0 }
        let picks = 20_000
        for number in 0..<picks {
            let picked = balancer.pick(hash: UInt64(number), avoiding: [])
            if let index = endpoints.firstIndex(where: { $0 === picked }) { counts[index] += 1 }
        }
        for (index, count) in counts.enumerated() {
            let share = Double(shares[index / 2]) / 20_000
            let room = policy.isByHash ? 0.15 * share : 0.01
            #expect(abs(Double(count) / Double(picks) - share) <= (share == 0 ? 0 : room), "\(counts)")
        }
    }

    @Test("what goes by hash stays on its level and endpoint", arguments: [BalancePolicy.ringHash, .maglev])
    func stableLevels(policy: BalancePolicy) {
        var (_, balancer) = leveled(policy, shares: [5000, 5000])
        for key in 0..<200 {
            let first = balancer.pick(hash: UInt64(key), avoiding: [])
            #expect(balancer.pick(hash: UInt64(key), avoiding: []) === first)
        }
    }

    @Test("avoided endpoints are passed over within the level first, then in others", arguments: BalancePolicy.allCases)
    func avoidingAmongLevels(policy: BalancePolicy) {
        var (endpoints, balancer) = leveled(policy, shares: [10_000, 0, 0])
        for key in 0..<100 {
            let hash = UInt64(key)
            #expect(balancer.pick(hash: hash, avoiding: [endpoints[0]]) === endpoints[1])
            let second = balancer.pick(hash: hash, avoiding: Array(endpoints[..<2]))
            #expect(second === endpoints[2] || second === endpoints[3])
            #expect(balancer.pick(hash: hash, avoiding: Array(endpoints[..<5])) === endpoints[5])
            let none = balancer.pick(hash: hash, avoiding: endpoints)
            #expect(none === endpoints[0] || none === endpoints[1])
        }
    }

    @Test("levels come and go with the list") func levelsChange() {
        var (endpoints, balancer) = leveled(.roundRobin, shares: [0, 10_000])
        #expect(balancer.pick(hash: nil, avoiding: []) !== endpoints[0])
        balancer.update(to: [endpoints[0]])
        for _ in 0..<10 { #expect(balancer.pick(hash: nil, avoiding: []) === endpoints[0]) }
        balancer.update(to: [])
        #expect(balancer.pick(hash: nil, avoiding: []) == nil)
        balancer.update(
            to: endpoints, levels: [EndpointLevel(range: 0..<3, share: 0), EndpointLevel(range: 3..<4, share: 10_000)])
        #expect(balancer.pick(hash: nil, avoiding: []) === endpoints[3])
    }

    // MARK: Avoiding

    @Test("an endpoint to avoid is avoided where there is another", arguments: BalancePolicy.allCases, [1, 1000])
    func avoiding(policy: BalancePolicy, weight: Int) {
        let endpoints = makeEndpoints([weight, 1, 1])
        var balancer = Balancer(policy, seed: 21)
        balancer.update(to: endpoints)
        for number in 0..<500 {
            let picked = balancer.pick(hash: UInt64(number), avoiding: [endpoints[0]])
            #expect(picked != nil && picked !== endpoints[0])
        }
    }
}

/// Endpoints 10.0.0.1:80, 10.0.0.2:80 and so on.
func makeEndpoints(_ weights: [Int]) -> [Endpoint] {
    weights.enumerated().map { index, weight in
        let address = SocketAddress(v4: 0x0A00_0001 + UInt32(index), port: 80)
        return Endpoint(address: address, name: FactName(address.description), weight: weight)
    }
}
