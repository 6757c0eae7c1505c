import Engine
import FilterAPI
import Testing

@testable import Host

@Suite("The table of hashes") struct MaglevTests {
    private let keys = 20_000

    /// Where each key goes, by name.
    private func places(_ endpoints: [Endpoint], seed: UInt64 = 1) -> [String] {
        var balancer = Balancer(.maglev, seed: seed)
        balancer.update(to: endpoints)
        return (0..<keys).map { balancer.pick(hash: UInt64($0), avoiding: [])?.name.text ?? "" }
    }

    @Test("a hash goes to the same endpoint on every worker, in whatever order the list is") func stable() {
        let endpoints = makeEndpoints([1, 1, 1, 1, 1])
        let first = places(endpoints)
        #expect(places(endpoints, seed: 99) == first)
        #expect(places(endpoints.reversed()) == first)
        #expect(places(makeEndpoints([1, 1, 1, 1, 1])) == first)
    }

    /// How many slots of a small table each endpoint has.
    private func slots(_ endpoints: [Endpoint], size: Int) -> [Int] {
        var table = MaglevTable()
        table.update(endpoints, size: size)
        var counts = endpoints.map { _ in 0 }
        for slot in 0..<size {
            // The middle of each slot, with the mixing of hashes undone.
            let place = (UInt64(slot) * 2 + 1) * (UInt64.max / UInt64(2 * size))
            if let owner = table.owner(of: unmixed(place)) { counts[owner] += 1 }
        }
        return counts
    }

    /// The number that ``SplitMix/mix(_:)`` makes into this one.
    private func unmixed(_ number: UInt64) -> UInt64 {
        var value = number ^ (number >> 31) ^ (number >> 62)
        value = value &* 0x3196_42B2_D24D_8EC3
        value = value ^ (value >> 27) ^ (value >> 54)
        value = value &* 0x96DE_1B17_3F11_9089
        return value ^ (value >> 30) ^ (value >> 60)
    }

    @Test("the way back from a mixed hash is right", arguments: [UInt64(0), 1, 99, 1 << 63, .max])
    func unmixing(number: UInt64) { #expect(SplitMix.mix(unmixed(number)) == number) }

    @Test(
        "shares are exact to a slot in a round of weights",
        arguments: [
            ([1, 1, 1], 13, [4, 4, 4]), ([1, 2, 1], 41, [10, 20, 10]), ([1, 9], 101, [10, 90]),
            ([1000, 1], 2003, [2000, 2]), ([5], 7, [7]), ([1, 1, 1], 2, [0, 0, 0]),
        ])
    func shares(weights: [Int], size: Int, expected: [Int]) {
        let found = slots(makeEndpoints(weights), size: size)
        #expect(found.reduce(0, +) == size)
        for (count, least) in zip(found, expected) { #expect(count - least >= 0 && count - least <= 2, "\(found)") }
    }

    @Test("what leaves moves its own keys and hardly any others; what comes back gets the same ones", arguments: 0..<5)
    func leaving(index: Int) {
        let all = makeEndpoints([1, 1, 1, 1, 1])
        let before = places(all)
        let after = places(all.enumerated().filter { $0.offset != index }.map(\.element))
        let gone = all[index].name.text
        let others = zip(before, after).count { $0 != gone && $0 != $1 }
        #expect(!after.contains(gone))
        #expect(others < keys / 20, "\(others) of \(keys) moved without need")
        #expect(places(all) == before)
    }

    @Test("with unequal weights few move that need not") func leavingWithWeights() {
        let all = makeEndpoints([1, 2, 3, 4, 5, 1, 2, 3, 4, 5])
        let before = places(all)
        let after = places(Array(all.dropLast()))
        let others = zip(before, after).count { $0 != all[9].name.text && $0 != $1 }
        #expect(others < keys / 8, "\(others) of \(keys) moved without need")
    }

    @Test("the keys of an avoided endpoint are spread over the others, each always to the same one") func avoiding() {
        let all = makeEndpoints([1, 1, 1, 1])
        var balancer = Balancer(.maglev, seed: 1)
        balancer.update(to: all)
        var counts: [String: Int] = [:]
        for key in 0..<4000 {
            let hash = UInt64(key)
            guard balancer.pick(hash: hash, avoiding: []) === all[0] else { continue }
            let next = balancer.pick(hash: hash, avoiding: [all[0]])?.name.text ?? ""
            #expect(balancer.pick(hash: hash, avoiding: [all[0]])?.name.text == next)
            counts[next, default: 0] += 1
        }
        #expect(counts.count == 3 && counts.values.allSatisfy { $0 > 200 }, "\(counts)")
    }

    @Test("primes are told from others", arguments: [(2, true), (1, false), (0, false), (-7, false), (9, false)])
    func primes(number: Int, isPrime: Bool) { #expect(MaglevTable.isPrime(number) == isPrime) }

    @Test("the sizes that the message names are primes", arguments: [257, 2039, 16_381, 65_537, 655_373])
    func namedSizes(size: Int) { #expect(MaglevTable.isPrime(size)) }
}
