import Synchronization
import Testing

@testable import Filters

@Suite("The table of buckets") struct BucketTableTests {
    private let second = BucketRate.ticks(1_000_000_000)

    /// What several threads count together.
    private final class Sight: Sendable {
        let passed = Atomic<Int>(0)
        let dropped = Atomic<Int>(0)
        private let missing = Atomic<Int>(2)

        /// Returns when both are there, so that they run at once.
        func meet() async {
            missing.subtract(1, ordering: .sequentiallyConsistent)
            while missing.load(ordering: .sequentiallyConsistent) > 0 { await Task.yield() }
        }

        func see(_ outcome: BucketTable.Outcome) {
            if outcome.isTaken { passed.add(1, ordering: .relaxed) }
            if outcome.hasDropped { dropped.add(1, ordering: .relaxed) }
        }
    }

    private func rate(_ burst: Int) -> BucketRate { BucketRate(requests: burst, per: 3_600_000_000_000, burst: burst) }

    /// How many of many requests pass.
    private func ask(_ table: BucketTable, _ key: UInt64, _ rate: BucketRate, _ count: Int, at now: UInt64) -> Int {
        var passed = 0
        for _ in 0..<count where table.take(key, rate, at: now).isTaken { passed += 1 }
        return passed
    }

    @Test("each key has a bucket of its own")
    func keys() {
        let table = BucketTable(capacity: 100)
        for key in [0, 1, 2, 8, UInt64.max, 1 << 63] {
            #expect(ask(table, key, rate(3), 5, at: second) == 3)
        }
        #expect(ask(table, 1, rate(3), 5, at: second) == 0)
    }

    @Test("a bucket that is full again gives up its slot, and nothing is lost")
    func expired() {
        let table = BucketTable(capacity: 4)
        // All of these have one set of eight slots.
        for key in 1...8 as ClosedRange<UInt64> {
            #expect(!table.take(key << 32, rate(1), at: second).hasDropped)
        }
        let later = second + rate(1).depth
        for key in 11...18 as ClosedRange<UInt64> {
            let outcome = table.take(key << 32, rate(1), at: later)
            #expect(outcome.isTaken && !outcome.hasDropped)
        }
        #expect(ask(table, 1 << 32, rate(1), 2, at: later + rate(1).depth) == 1)
    }

    @Test("where all buckets of a set are in use the one that is the nearest to its end goes")
    func dropped() {
        let table = BucketTable(capacity: 4)
        for key in 1...8 as ClosedRange<UInt64> {
            // The first key has taken most, the last one least.
            #expect(ask(table, key << 32, rate(100), Int(20 - key), at: second) == Int(20 - key))
        }
        let outcome = table.take(9 << 32, rate(100), at: second)
        #expect(outcome.isTaken && outcome.hasDropped)
        #expect(table.full(8 << 32) == 0)
        #expect(table.full(7 << 32) > second)
    }

    @Test("a token that is given back is there again; one of a bucket that has gone is not missed")
    func givenBack() {
        let table = BucketTable(capacity: 4)
        #expect(ask(table, 5, rate(2), 3, at: second) == 2)
        table.giveBack(5, rate(2))
        #expect(ask(table, 5, rate(2), 3, at: second) == 1)
        table.giveBack(6, rate(2))
        #expect(table.full(6) == 0)
    }

    @Test("threads that ask for one key get just as many tokens as there are")
    func exact() async {
        let table = BucketTable(capacity: 1000)
        let rate = rate(800_000)
        let sight = Sight()
        let now = second
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    await sight.meet()
                    for _ in 0..<600_000 { sight.see(table.take(77, rate, at: now)) }
                }
            }
        }
        #expect(sight.passed.load(ordering: .relaxed) == 800_000)
    }

    @Test("threads that begin many keys at the same moments never make two buckets for one")
    func exactKeys() async {
        let table = BucketTable(capacity: 50_000)
        let rate = rate(3)
        let sight = Sight()
        await withTaskGroup(of: Void.self) { group in
            for thread in 0..<2 {
                // The clocks of workers differ a little.
                let now = second + UInt64(thread) * 1000
                group.addTask {
                    await sight.meet()
                    for key in 0..<40_000 as Range<UInt64> {
                        // Four keys share a set of eight slots.
                        let spread = (key & ~3) << 1 | (key & 3) << 40
                        for _ in 0..<4 { sight.see(table.take(spread, rate, at: now)) }
                    }
                }
            }
        }
        #expect(sight.dropped.load(ordering: .relaxed) == 0)
        #expect(sight.passed.load(ordering: .relaxed) == 120_000)
    }
}
