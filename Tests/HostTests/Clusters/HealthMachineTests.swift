import Engine
import FilterAPI
import Testing

@testable import Host

@Suite("What checks say of an endpoint") struct HealthMachineTests {
    private func rules(_ edit: (inout HealthCheckSettings) -> Void = { _ in }) -> HealthRules {
        var settings = HealthCheckSettings()
        edit(&settings)
        return HealthRules(settings)
    }

    private func kind(_ mark: Character) -> CheckOutcome.Kind {
        switch mark {
        case "+": .passed
        case "-": .unreachable
        case "~": .postponed
        default: .refused
        }
    }

    /// Results as `+` passed, `-` nobody there, `~` a status that is retriable, `x` a bad answer.
    ///
    /// - Returns: `G` or `B` after each of them.
    private func run(_ results: String, from machine: HealthMachine, _ rules: HealthRules) -> String {
        var machine = machine
        var states = ""
        for mark in results {
            let before = machine.isGood
            let change = machine.take(kind(mark), rules)
            #expect((change == nil) == (machine.isGood == before))
            #expect(change == nil || (change == .becameGood) == machine.isGood)
            states += machine.isGood ? "G" : "B"
        }
        return states
    }

    @Test(
        "the first result decides, later ones by the thresholds; a bad answer decides at once",
        arguments: [
            // The first result, whatever was presumed.
            ("+", "G"), ("-", "B"), ("~", "B"), ("x", "B"),
            // Three failures in a row make a good one bad, two successes in a row a bad one good.
            ("+---", "GGGB"), ("+~~~", "GGGB"), ("+-~-", "GGGB"), ("+--+--+", "GGGGGGG"), ("+--+---", "GGGGGGB"),
            ("-++", "BBG"), ("-+-+-+", "BBBBBB"), ("x+-++", "BBBBG"),
            // One bad answer is enough, also after some failures.
            ("+x", "GB"), ("+-x", "GGB"), ("+xxx++", "GBBBBG"),
            // Back and forth.
            ("+---++---", "GGGBBGGGB"), ("+x++x++", "GBBGBBG"),
        ], [true, false])
    func transitions(row: (results: String, states: String), presumed: Bool) {
        #expect(run(row.results, from: HealthMachine(isGood: presumed), rules()) == row.states)
    }

    @Test("thresholds of one decide at once, with results every 100 ms as with any other") func flapping() {
        let quick = rules {
            $0.interval = .milliseconds(100)
            $0.unhealthyThreshold = 1
            $0.healthyThreshold = 1
        }
        #expect(run("+-+-+-", from: HealthMachine(isGood: true), quick) == "GBGBGB")
        var machine = HealthMachine(isGood: true)
        var now: Nanoseconds = 0
        for number in 0..<1000 {
            #expect(machine.take(number % 2 == 0 ? .passed : .unreachable, quick) != nil || number == 0)
            now += machine.pause(quick, hasTraffic: true, random: .max)
        }
        #expect(now == 1000 * 100_000_000)
        // With the usual thresholds an endpoint that changes each time stays what it is.
        #expect(run("+-+-+-+-", from: HealthMachine(isGood: true), rules()) == "GGGGGGGG")
        #expect(run("-+-+-+-+", from: HealthMachine(isGood: true), rules()) == "BBBBBBBB")
    }

    @Test("what earlier checks have found is not a first result") func inherited() {
        #expect(run("+", from: HealthMachine(isGood: false, hasResult: true), rules()) == "B")
        #expect(run("--", from: HealthMachine(isGood: true, hasResult: true), rules()) == "GG")
    }

    @Test("failures in a row are counted until one passes") func failures() {
        var machine = HealthMachine(isGood: true)
        let counts = "+--x-+-".map { mark in
            _ = machine.take(kind(mark), rules())
            return machine.failures
        }
        #expect(counts == [0, 1, 2, 3, 4, 0, 1])
    }

    @Test(
        "the pause depends on the last result and on whether a change is near",
        arguments: [
            // Good; on the way to bad; bad; on the way to good; good again.
            ("+", 1), ("+-", 4), ("+--", 4), ("+---", 3), ("+----", 3), ("+---+", 5), ("+---+-", 3), ("+---++", 1),
            ("-", 3), ("+x", 3), ("+-+", 1),
        ])
    func pauses(results: String, seconds: UInt64) {
        let rules = rules {
            $0.interval = .seconds(1)
            $0.unhealthyInterval = .seconds(3)
            $0.unhealthyEdgeInterval = .seconds(4)
            $0.healthyEdgeInterval = .seconds(5)
            $0.noTrafficInterval = .seconds(60)
        }
        var machine = HealthMachine(isGood: true)
        for mark in results { _ = machine.take(kind(mark), rules) }
        #expect(machine.pause(rules, hasTraffic: true, random: 0) == seconds * 1_000_000_000)
        #expect(machine.pause(rules, hasTraffic: false, random: 0) == 60_000_000_000)
    }

    @Test("intervals that are not set are those that they stand in for") func defaults() {
        let plain = rules()
        #expect(plain.interval == 5_000_000_000)
        #expect(plain.unhealthyInterval == plain.interval && plain.healthyEdgeInterval == plain.interval)
        #expect(plain.unhealthyEdgeInterval == plain.interval && plain.noTrafficInterval == nil)
        let bad = rules { $0.unhealthyInterval = .seconds(9) }
        #expect(bad.unhealthyEdgeInterval == 9_000_000_000 && bad.healthyEdgeInterval == plain.interval)
    }

    @Test("the jitter is added by lot, from nothing to all of it") func jitter() {
        let rules = rules {
            $0.interval = .seconds(1)
            $0.intervalJitter = .milliseconds(500)
        }
        var machine = HealthMachine(isGood: true)
        _ = machine.take(.passed, rules)
        func pause(_ random: UInt64) -> Nanoseconds { machine.pause(rules, hasTraffic: true, random: random) }
        #expect(pause(0) == 1_000_000_000)
        #expect(pause(.max / 2) == 1_250_000_000)
        #expect(pause(.max) == 1_500_000_000)
    }
}
