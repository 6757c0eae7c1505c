import Engine
import FilterAPI
import Testing

@testable import Host

@Suite("The ring of hashes") struct HashRingTests {
    private let keys = 20_000

    private func places(_ endpoints: [Endpoint]) -> [String] { hashPlaces(.ringHash, endpoints, keys: keys) }

    @Test(
        "a hash goes to the same endpoint on every worker, in whatever order the list is",
        arguments: [BalancePolicy.ringHash, .maglev])
    func stable(policy: BalancePolicy) {
        let endpoints = makeEndpoints([1, 1, 1, 1, 1])
        let first = hashPlaces(policy, endpoints)
        #expect(hashPlaces(policy, endpoints, seed: 99) == first)
        #expect(hashPlaces(policy, endpoints.reversed()) == first)
        #expect(hashPlaces(policy, makeEndpoints([1, 1, 1, 1, 1])) == first)
    }

    @Test("the endpoints have shares about as their weights say", arguments: [[1, 1, 1, 1], [1, 2, 1], [1, 9]])
    func shares(weights: [Int]) {
        let endpoints = makeEndpoints(weights)
        let found = places(endpoints)
        for endpoint in endpoints {
            let share = Double(endpoint.weight) / Double(weights.reduce(0, +))
            let count = Double(found.count { $0 == endpoint.name.text })
            #expect(abs(count / Double(keys) / share - 1) < 0.25, "\(endpoint.name.text) has \(count)")
        }
    }

    @Test("what leaves moves its own keys and no others; what comes back gets the same ones", arguments: 0..<5)
    func leaving(index: Int) {
        let all = makeEndpoints([1, 1, 1, 1, 1])
        let before = places(all)
        let after = places(all.enumerated().filter { $0.offset != index }.map(\.element))
        let gone = all[index].name.text
        for (old, new) in zip(before, after) {
            #expect(new != gone)
            if old != gone { #expect(new == old) }
        }
        #expect(places(all) == before)
    }

    @Test("with unequal weights hardly more moves than what leaves had") func leavingWithWeights() {
        let all = makeEndpoints([1, 2, 3, 4, 5, 1, 2, 3, 4, 5])
        let before = places(all)
        let after = places(Array(all.dropLast()))
        let moved = zip(before, after).count { $0 != $1 }
        let own = before.count { $0 == all[9].name.text }
        #expect(moved >= own)
        #expect(Double(moved) < Double(keys) * (5.0 / 30 + 0.1), "\(moved) moved, \(own) had to")
    }

    @Test("an avoided endpoint's keys go where they would go without it") func avoiding() {
        let all = makeEndpoints([1, 1, 1, 1])
        let without = places(Array(all.dropFirst()))
        var balancer = Balancer(.ringHash, seed: 1)
        balancer.update(to: all)
        for key in 0..<2000 {
            #expect(balancer.pick(hash: UInt64(key), avoiding: [all[0]])?.name.text == without[key])
        }
    }
}
