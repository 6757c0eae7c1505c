import FilterAPI
import Testing

@testable import Filters

/// One step of a table: something that happens to a breaker at a time, in seconds.
private enum Event {
    case trip
    /// A request comes, under a name.
    case ask(String)
    case end(String, Outcome?)
}

@Suite("The states of a breaker")
struct CircuitStateTests {
    /// Opens for 5 seconds, doubling up to 20; two probes.
    private static let rules: ErrorRules = {
        var settings = CircuitBreaker.ErrorSettings()
        settings.openFor = .seconds(5)
        settings.maxOpenFor = .seconds(20)
        settings.probes = 2
        return ErrorRules(settings)
    }()

    /// Runs a table.
    ///
    /// - Returns: what became of each step: `let through`, `refused until 5`, `opened for 5`, `closed`, `nothing`.
    private func run(_ steps: [(second: UInt64, event: Event)]) -> [String] {
        var state = CircuitState()
        var permits: [String: Permit] = [:]
        return steps.map { second, event in
            let now = second * 1_000_000_000
            switch event {
            case .trip:
                state.trip(at: now, Self.rules)
                return "opened for \(state.openFor / 1_000_000_000)"
            case .ask(let name):
                switch state.admit(at: now, Self.rules) {
                case .admitted(let permit):
                    permits[name] = permit
                    return permit.isProbe ? "probes" : "let through"
                case .refused(let until): return "refused until \(until / 1_000_000_000)"
                }
            case .end(let name, let outcome):
                guard let permit = permits[name] else { return "no such request" }
                switch state.probeEnded(permit, outcome, at: now, Self.rules) {
                case nil: return "nothing"
                case .closed: return "closed"
                case .opened(_, for: let time): return "opened for \(time / 1_000_000_000)"
                }
            }
        }
    }

    @Test("While it is closed all are let through, while it is open none")
    func closedAndOpen() {
        #expect(
            run([(0, .ask("a")), (1, .trip), (1, .ask("b")), (5, .ask("c"))])
                == ["let through", "opened for 5", "refused until 6", "refused until 6"])
    }

    @Test("When its time is over so many probes at once are let through as are asked for, and they close it")
    func probesClose() {
        #expect(
            run([
                (1, .trip), (6, .ask("a")), (6, .ask("b")), (6, .ask("c")), (7, .end("a", .success)), (7, .ask("d")),
                (7, .end("b", .success)), (7, .ask("e")), (8, .end("d", .failure)),
            ]) == [
                "opened for 5", "probes", "probes", "refused until 11", "nothing", "probes", "closed", "let through",
                "nothing",
            ])
    }

    @Test("One probe that fails opens it again, for twice as long up to the most")
    func probesFail() {
        #expect(
            run([
                (0, .trip), (5, .ask("a")), (5, .ask("b")), (5, .end("a", .failure)), (5, .end("b", .failure)),
                (14, .ask("c")), (15, .ask("d")), (15, .end("d", .slow)), (35, .ask("e")), (35, .end("e", .failure)),
                (55, .ask("f")),
            ]) == [
                "opened for 5", "probes", "probes", "opened for 10", "nothing", "refused until 15", "probes",
                "opened for 20", "probes", "opened for 20", "probes",
            ])
    }

    @Test("After it has been closed it opens for the shortest time again")
    func startsAnew() {
        #expect(
            run([
                (0, .trip), (5, .ask("a")), (5, .end("a", .failure)), (15, .ask("b")), (15, .ask("c")),
                (15, .end("b", .success)), (15, .end("c", .success)), (16, .trip),
            ]) == [
                "opened for 5", "probes", "opened for 10", "probes", "probes", "nothing", "closed", "opened for 5",
            ])
    }

    @Test("A probe without an outcome makes room for another")
    func noOutcome() {
        #expect(
            run([
                (0, .trip), (5, .ask("a")), (5, .ask("b")), (5, .end("a", nil)), (5, .ask("c")), (5, .ask("d")),
            ]) == ["opened for 5", "probes", "probes", "nothing", "probes", "refused until 10"])
    }

    @Test("Probes that never end do not keep it half-open for ever, and still count when they end")
    func probesThatHang() {
        #expect(
            run([
                (0, .trip), (5, .ask("a")), (5, .ask("b")), (9, .ask("c")), (10, .ask("d")), (10, .end("a", nil)),
                (10, .ask("e")), (10, .ask("f")), (11, .end("b", .failure)),
            ]) == [
                "opened for 5", "probes", "probes", "refused until 10", "probes", "nothing", "probes",
                "refused until 15", "opened for 10",
            ])
    }

    @Test("The answer of a probe that breaks off after it had succeeded opens it again")
    func brokenOff() {
        var state = CircuitState()
        state.trip(at: 0, Self.rules)
        guard case .admitted(let permit) = state.admit(at: 5_000_000_000, Self.rules) else {
            Issue.record("not let through")
            return
        }
        #expect(state.probeEnded(permit, .success, at: 6_000_000_000, Self.rules) == nil)
        #expect(
            state.probeBrokeOff(permit, at: 6_000_000_000, Self.rules)
                == .opened(.probeFailed, for: 10_000_000_000))
    }
}
