import Testing

@testable import Filters

@Suite("The window of outcomes")
struct OutcomeWindowTests {
    private static let second: UInt64 = 1_000_000_000

    private func sums(_ window: OutcomeWindow, generation: UInt64 = 1, at now: UInt64) -> OutcomeSums {
        var sums = OutcomeSums()
        window.addUp(into: &sums, generation: generation, at: now)
        return sums
    }

    @Test("Adds up what was noted, each outcome as what it is")
    func addsUp() {
        let window = OutcomeWindow(length: 10 * Self.second)
        for outcome in [Outcome.success, .success, .slow, .failure, .brokenOff] {
            window.add(outcome, generation: 1, at: 100 * Self.second)
        }
        #expect(sums(window, at: 100 * Self.second) == OutcomeSums(total: 4, failures: 2, slow: 1))
    }

    @Test("What is older than the window is not counted, also where nobody has written since")
    func forgets() {
        let window = OutcomeWindow(length: 10 * Self.second)
        for second in 100..<105 as Range<UInt64> { window.add(.failure, generation: 1, at: second * Self.second) }
        #expect(sums(window, at: 104 * Self.second).failures == 5)
        #expect(sums(window, at: 109 * Self.second).failures == 5)
        #expect(sums(window, at: 110 * Self.second).failures == 4)
        #expect(sums(window, at: 114 * Self.second).failures == 0)
        window.add(.success, generation: 1, at: 114 * Self.second)
        #expect(sums(window, at: 114 * Self.second) == OutcomeSums(total: 1))
    }

    @Test("What was noted before the breaker has changed is not counted")
    func generations() {
        let window = OutcomeWindow(length: 10 * Self.second)
        window.add(.failure, generation: 1, at: 100 * Self.second)
        #expect(sums(window, generation: 3, at: 100 * Self.second) == OutcomeSums())
        window.add(.success, generation: 3, at: 100 * Self.second)
        #expect(sums(window, generation: 3, at: 100 * Self.second) == OutcomeSums(total: 1))
    }
}
