import Testing

@testable import Filters

@Suite("The numbers of a token bucket") struct BucketRateTests {
    private static let second: UInt64 = 1_000_000_000
    private let second = Self.second

    /// A bucket and a clock.
    private final class Bucket {
        let rate: BucketRate
        var full: UInt64 = 0

        init(_ requests: Int, per: UInt64, burst: Int) {
            rate = BucketRate(requests: requests, per: per, burst: burst)
        }

        /// Whether a request at this time passes.
        func ask(at nanoseconds: UInt64) -> Bool {
            guard let next = rate.take(from: full, at: BucketRate.ticks(nanoseconds)) else { return false }
            full = next
            return true
        }

        /// How many of many requests at this time pass.
        func ask(_ count: Int, at nanoseconds: UInt64) -> Int {
            var passed = 0
            for _ in 0..<count where ask(at: nanoseconds) { passed += 1 }
            return passed
        }

        func remaining(at nanoseconds: UInt64) -> Int { rate.remaining(full, at: BucketRate.ticks(nanoseconds)) }
        func next(at nanoseconds: UInt64) -> Int { rate.secondsToNext(full, at: BucketRate.ticks(nanoseconds)) }
        func toFull(at nanoseconds: UInt64) -> Int { rate.secondsToFull(full, at: BucketRate.ticks(nanoseconds)) }
    }

    @Test(
        "a full bucket lets just its burst through, and after `per` has grown just `requests` again",
        arguments: [
            (1, second, 1), (3, second, 3), (100, second, 100), (100, second, 7), (7, 60 * second, 100),
            (1, 86_400 * second, 10), (10_000_000, second, 5_000), (1_000_000_000, 100 * second, 1_000),
        ])
    func exact(requests: Int, per: UInt64, burst: Int) {
        let bucket = Bucket(requests, per: per, burst: burst)
        let start = 5 * second
        #expect(bucket.ask(burst + 10, at: start) == burst)
        #expect(bucket.ask(10, at: start) == 0)
        let grown = min(requests, burst)
        #expect(bucket.ask(burst + 10, at: start + per) == grown)
    }

    @Test("tokens grow one by one, not all at once")
    func steady() {
        let bucket = Bucket(10, per: second, burst: 10)
        #expect(bucket.ask(20, at: second) == 10)
        for number in 1...50 {
            let due = second + UInt64(number) * 100_000_000
            #expect(!bucket.ask(at: due - 1))
            #expect(bucket.ask(at: due))
        }
    }

    @Test("in a long time just as many pass as the rate says, and the burst")
    func longRun() {
        let bucket = Bucket(3, per: second, burst: 5)
        var passed = 0
        for step in 0..<100_000 {
            // Ten requests a second for 10,000 seconds.
            passed += bucket.ask(1, at: second + UInt64(step) * 100_000_000)
        }
        #expect((30_000...30_004).contains(passed))
    }

    @Test("with a burst of one there is no second request before its time")
    func burstOfOne() {
        let bucket = Bucket(2, per: second, burst: 1)
        #expect(bucket.ask(at: second))
        #expect(!bucket.ask(at: second + 499_999_999))
        #expect(bucket.ask(at: second + 500_000_000))
        // A pause earns nothing beyond the burst.
        #expect(bucket.ask(5, at: 100 * second) == 1)
    }

    @Test("a jump of time, forth or back, lets no more through than the burst")
    func jumps() {
        let bucket = Bucket(10, per: second, burst: 10)
        #expect(bucket.ask(20, at: 100 * second) == 10)
        #expect(bucket.ask(20, at: 10 * second) == 0)
        #expect(bucket.ask(20, at: 100 * second) == 0)
        #expect(bucket.ask(20, at: 1_000_000 * second) == 10)
        #expect(bucket.ask(20, at: .max) == 10)
        #expect(bucket.ask(20, at: .max) == 0)
        #expect(bucket.ask(20, at: 0) == 0)
    }

    @Test("times that no clock shows trap nowhere")
    func extremes() {
        let rate = BucketRate(requests: 1, per: 8760 * 3600 * second, burst: 1)
        for full in [0, 1, UInt64.max / 2, .max - 1, .max] {
            for now in [0, BucketRate.ticks(1), BucketRate.ticks(.max)] {
                _ = rate.take(from: full, at: now)
                #expect(rate.remaining(full, at: now) <= 1)
                #expect(rate.secondsToNext(full, at: now) >= 0)
                #expect(rate.secondsToFull(full, at: now) >= 0)
                #expect(rate.giveBack(to: full) <= full)
            }
        }
    }

    @Test("what is left is told in whole tokens, and times in whole seconds, rounded up")
    func told() {
        let bucket = Bucket(4, per: 10 * second, burst: 4)
        #expect(bucket.remaining(at: second) == 4 && bucket.next(at: second) == 0 && bucket.toFull(at: second) == 0)
        #expect(bucket.ask(3, at: second) == 3)
        #expect(bucket.remaining(at: second) == 1 && bucket.next(at: second) == 0 && bucket.toFull(at: second) == 8)
        #expect(bucket.ask(at: second))
        #expect(bucket.remaining(at: second) == 0 && bucket.next(at: second) == 3 && bucket.toFull(at: second) == 10)
        let later = second + 2_400_000_000
        #expect(bucket.remaining(at: later) == 0 && bucket.next(at: later) == 1)
        #expect(bucket.remaining(at: later + 100_000_000) == 1)
    }

    @Test("a token that is given back can be taken again, and a full bucket gets no fuller")
    func givenBack() {
        let bucket = Bucket(5, per: second, burst: 5)
        #expect(bucket.ask(9, at: second) == 5)
        bucket.full = bucket.rate.giveBack(to: bucket.full)
        #expect(bucket.ask(9, at: second) == 1)
        for _ in 0..<20 { bucket.full = bucket.rate.giveBack(to: bucket.full) }
        #expect(bucket.ask(9, at: second) == 5)
    }
}
