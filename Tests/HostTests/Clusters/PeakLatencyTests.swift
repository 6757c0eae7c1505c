import Engine
import FilterAPI
import Testing

@testable import Host

private let millisecond: Nanoseconds = 1_000_000

@Suite("Latency of late") struct PeakLatencyTests {
    /// What is expected after answers that took so long and came at such times, all in milliseconds; decay 1 s.
    private func estimate(_ answers: [(length: UInt64, at: UInt64)]) -> Double {
        var latency = PeakLatency(decay: 1000 * millisecond)
        for (length, time) in answers { latency.observe(length * millisecond, at: time * millisecond) }
        return (latency.estimate ?? -1) / Double(millisecond)
    }

    private func isNear(_ value: Double, _ expected: Double) -> Bool { abs(value - expected) < 0.01 * expected }

    @Test("nothing is known before the first answer, which counts as it is") func first() {
        #expect(PeakLatency(decay: 1).estimate == nil)
        #expect(estimate([(20, 5000)]) == 20)
    }

    @Test(
        "it rises to a peak at once and falls slowly",
        arguments: [
            ([(10, 0), (50, 1)], 50), ([(50, 0), (10, 0)], 50), ([(50, 0), (10, 1000)], 24.72),
            ([(50, 0), (10, 100)], 46.19), ([(50, 0), (10, 60_000)], 10), ([(50, 0), (19, 1000)], 19),
        ] as [([(UInt64, UInt64)], Double)])
    func peaks(answers: [(UInt64, UInt64)], expected: Double) {
        let found = estimate(answers.map { (length: $0.0, at: $0.1) })
        #expect(isNear(found, expected), "\(found)")
    }

    @Test("what did not come in time counts only where others were faster") func missing() {
        var latency = PeakLatency(decay: 1000 * millisecond)
        latency.observe(50 * millisecond, at: 0)
        latency.observe(atLeast: 20 * millisecond, at: 0)
        #expect(latency.estimate == Double(50 * millisecond))
        latency.observe(atLeast: 5000 * millisecond, at: 0)
        #expect(latency.estimate == Double(5000 * millisecond))
    }

    @Test("what was seen longer ago has faded more") func fading() {
        var old = PeakLatency(decay: 1000 * millisecond)
        var new = old
        old.observe(100 * millisecond, at: 0)
        new.observe(50 * millisecond, at: 0)
        #expect(isNear(old.ratio(to: new), 2))
        new.observe(50 * millisecond, at: 1000 * millisecond)
        #expect(isNear(old.ratio(to: new), 2 / 2.71828))
        #expect(isNear(new.ratio(to: old), 2.71828 / 2))
    }

    @Test("times far apart, and answers in no time, make no nonsense") func extremes() {
        var old = PeakLatency(decay: 1)
        var new = old
        old.observe(0, at: 0)
        new.observe(.max, at: .max / 4)
        #expect(old.ratio(to: new) == 0)
        #expect(new.ratio(to: old) == .infinity)
        #expect(old.ratio(to: PeakLatency(decay: 1)) == 1)
        old.observe(0, at: .max / 4)
        #expect(old.estimate == 1)
        // A clock that goes back does not: what came is taken as if it came with the last one.
        new.observe(5, at: 0)
        #expect(new.estimate == Double(UInt64.max))
    }
}
