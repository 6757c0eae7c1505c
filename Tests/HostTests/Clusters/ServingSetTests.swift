import Engine
import FilterAPI
import Testing

@testable import Host

private let second: Nanoseconds = 1_000_000_000

@Suite("Who serves") struct ServingSetTests {
    /// One endpoint: `+` for a good one, `-` for one that failed its check, `x` for one that is ejected, `*` for both,
    /// `n` for one that has joined others and has not passed its check once.
    /// The n-th one that is bad went bad at n seconds, unless the table says otherwise.
    private func decide(
        _ levels: String..., panic: Int = 50, floor: Int = 0, badSince: [Int: Nanoseconds] = [:]
    ) -> ServingSet {
        var known = EndpointList()
        var statuses: [SocketAddress: EndpointStatus] = [:]
        for (priority, level) in levels.enumerated() {
            for mark in level {
                let number = known.entries.count
                let address = SocketAddress(v4: 0x0A00_0000 + UInt32(number), port: 80)
                known.add(address, weight: 1, priority: priority)
                var status = EndpointStatus()
                status.failedCheck = mark == "-" || mark == "*" || mark == "n"
                status.awaitsFirstPass = mark == "n"
                status.isEjected = mark == "x" || mark == "*"
                if !status.isGood { status.badSince = badSince[number] ?? UInt64(number + 1) * second }
                statuses[address] = status
            }
        }
        var settings = ClusterSettings()
        settings.panicThreshold = .percent(panic)
        settings.minServing = .percent(floor)
        return ServingSet(known, rules: ServingRules(settings), at: 100 * second) { statuses[$0] ?? EndpointStatus() }
    }

    /// The numbers of those that serve, in the order of the list.
    private func numbers(_ set: ServingSet) -> [Int] { set.list.entries.map { number($0.address) } }

    private func number(_ address: SocketAddress) -> Int {
        Int(address.ipText.split(separator: ".").last ?? "") ?? -1
    }

    // MARK: Panic

    @Test(
        "good endpoints serve; where fewer than the threshold are good, all do",
        arguments: [
            ("++++", 50, [0, 1, 2, 3], false), ("+++-", 50, [0, 1, 2], false), ("++--", 50, [0, 1], false),
            ("+--x", 50, [0, 1, 2, 3], true), ("----", 50, [0, 1, 2, 3], true), ("+--x", 25, [0], false),
            ("+---", 26, [0, 1, 2, 3], true), ("+---", 0, [0], false), ("----", 0, [], false),
            ("+-", 50, [0], false), ("x+", 51, [0, 1], true), ("-", 50, [0], true), ("-", 0, [], false),
            ("+++-", 100, [0, 1, 2, 3], true), ("", 50, [], false),
        ])
    func panic(level: String, threshold: Int, serving: [Int], isPanic: Bool) {
        let set = decide(level, panic: threshold)
        #expect(numbers(set) == serving)
        #expect(set.panicking == (isPanic ? [0] : []))
        #expect(set.kept.isEmpty)
    }

    @Test(
        "those that have not passed once are as if they were not there, as long as there are others",
        arguments: [
            ("+nnnn", 50, 0, [0], false), ("+nn-", 50, 0, [0], false), ("-nnn", 50, 0, [0], true),
            ("-nnn", 0, 100, [0], false), ("nn", 50, 0, [0, 1], true), ("nn", 0, 0, [], false),
        ])
    func newcomers(level: String, threshold: Int, floor: Int, serving: [Int], isPanic: Bool) {
        let set = decide(level, panic: threshold, floor: floor)
        #expect(numbers(set) == serving)
        #expect(set.panicking == (isPanic ? [0] : []))
        #expect(!set.list.isUnresolved)
    }

    @Test("a cluster whose endpoints are all bad is not one whose names are unknown") func unresolved() {
        #expect(!decide("--", panic: 0).list.isUnresolved)
        #expect(decide("").list.isUnresolved)
    }

    // MARK: The floor

    @Test(
        "never fewer serve than the floor says, rounded up",
        arguments: [
            ("-", 1, [0], [0]), ("x", 100, [0], [0]), ("-", 0, [], []), ("+-", 50, [0], []), ("--", 50, [1], [1]),
            ("+-", 51, [0, 1], [1]), ("+--", 33, [0], []), ("+--", 34, [0, 2], [2]), ("---", 50, [1, 2], [1, 2]),
            ("---", 67, [0, 1, 2], [0, 1, 2]), ("++++------", 50, [0, 1, 2, 3, 9], [9]), ("+++", 100, [0, 1, 2], []),
        ])
    func floor(level: String, floor: Int, serving: [Int], kept: [Int]) {
        let set = decide(level, panic: 0, floor: floor)
        #expect(numbers(set) == serving)
        #expect(set.kept.map(number).sorted() == kept)
        #expect(set.panicking.isEmpty)
    }

    @Test(
        "those are kept against whom the fewest speak, and of these those that went bad last",
        arguments: [("---", 40, [0, 2]), ("*-*", 30, [1]), ("x*-", 30, [0]), ("***", 30, [0])])
    func leastBad(level: String, floor: Int, kept: [Int]) {
        let set = decide(level, panic: 0, floor: floor, badSince: [0: 30 * second, 1: 10 * second, 2: 20 * second])
        #expect(set.kept.map(number).sorted() == kept)
    }

    @Test("whom panic lets serve is not kept by the floor") func panicFirst() {
        let set = decide("+---", panic: 50, floor: 100)
        #expect(numbers(set) == [0, 1, 2, 3])
        #expect(set.kept.isEmpty && set.panicking == [0])
    }

    @Test("the floor counts the endpoints of all levels") func floorOverLevels() {
        #expect(numbers(decide("--", "++", panic: 0, floor: 50)) == [2, 3])
        let set = decide("--", "++", panic: 0, floor: 75)
        #expect(numbers(set) == [1, 2, 3])
        // Those that are kept do not draw requests away from those that are good.
        #expect(set.list.levels.map(\.share) == [0, 10_000])
    }

    // MARK: Levels

    @Test(
        "a level has requests as far as it is good, times 1.4; the next has the rest",
        arguments: [
            (["++", "++"], [10_000, 0]), (["+++++--", "++"], [10_000, 0]), (["+++-", "++"], [10_000, 0]),
            (["++--", "++"], [7000, 3000]), (["+---", "++"], [3500, 6500]), (["----", "++"], [10_000]),
            (["+---", "+---", "++"], [3500, 3500, 3000]), (["----", "----", "+"], [10_000]),
            (["++++", "----", "++"], [10_000, 0]),
            // Together they cannot carry everything, so each gets its part, and those with fewer than half are in panic.
            (["+---------", "+++++-----"], [1667, 8333]),
            (["+---", "+---"], [5000, 5000]), (["--", "----"], [3334, 6666]),
        ])
    func shares(levels: [String], shares: [Int]) {
        let set =
            switch levels.count {
            case 2: decide(levels[0], levels[1])
            default: decide(levels[0], levels[1], levels[2])
            }
        #expect(set.list.levels.map(\.share) == shares)
        #expect(set.list.levels.reduce(0) { $0 + $1.share } == EndpointLevel.wholeShare)
        #expect(set.list.levels.last?.range.upperBound == set.list.entries.count)
    }

    @Test("no level is in panic while the others can carry what it lacks") func enough() {
        let set = decide("+---------", "++++")
        #expect(numbers(set) == [0, 10, 11, 12, 13])
        #expect(set.panicking.isEmpty)
    }

    @Test("where no level is good and panic is off, nobody serves; with it everybody does") func nobody() {
        #expect(decide("--", "--", panic: 0).list.entries.isEmpty)
        let set = decide("--", "--")
        #expect(numbers(set) == [0, 1, 2, 3])
        #expect(set.panicking == [0, 1])
    }

    @Test("priorities are an order: numbers in between may be missing, and the file may have them in any order")
    func order() {
        var known = EndpointList()
        for (number, priority) in [7, 0, 100, 7].enumerated() {
            known.add(SocketAddress(v4: 0x0A00_0000 + UInt32(number), port: 80), weight: 1, priority: priority)
        }
        let set = ServingSet(known, rules: ServingRules(ClusterSettings()), at: 0) { _ in EndpointStatus() }
        #expect(numbers(set) == [1, 0, 3, 2])
        #expect(set.list.levels.map(\.range) == [0..<1, 1..<3, 3..<4])
        #expect(set.list.levels.map(\.share) == [10_000, 0, 0])
    }

    // MARK: Slow start

    private func weights(
        _ times: [Nanoseconds?], at now: Nanoseconds, aggression: Double = 1, least: Int = 10, weight: Int = 1,
        bad: Set<Int> = []
    ) -> (weights: [Int], isGrowing: Bool) {
        var settings = ClusterSettings()
        var slowStart = SlowStartSettings()
        slowStart.aggression = aggression
        slowStart.minWeight = .percent(least)
        settings.slowStart = slowStart
        var known = EndpointList()
        for number in times.indices { known.add(SocketAddress(v4: UInt32(number), port: 80), weight: weight) }
        let set = ServingSet(known, rules: ServingRules(settings), at: now) { address in
            let number = number(address)
            return EndpointStatus(failedCheck: bad.contains(number), healthySince: times[number])
        }
        return (set.list.entries.map(\.weight), set.isGrowing)
    }

    @Test(
        "a new endpoint's weight grows over the window",
        arguments: [
            (0, [100, 10]), (1, [100, 10]), (3, [100, 10]), (6, [100, 20]), (15, [100, 50]), (29, [100, 97]),
        ])
    func growth(seconds: Int, expected: [Int]) {
        let found = weights([nil, 50 * second], at: UInt64(50 + seconds) * second)
        #expect(found.weights == expected)
        #expect(found.isGrowing)
    }

    @Test("after the window weights are those of the config", arguments: [30, 31, 1000])
    func grown(seconds: Int) {
        let found = weights([nil, 50 * second], at: UInt64(50 + seconds) * second)
        #expect(found.weights == [1, 1])
        #expect(!found.isGrowing)
    }

    @Test(
        "aggression bends the way there", arguments: [(1.0, 25), (2.0, 50), (0.5, 10), (4.0, 71)])
    func aggression(aggression: Double, expected: Int) {
        #expect(weights([nil, 0], at: 30 * second / 4, aggression: aggression).weights == [100, expected])
    }

    @Test("the largest weights grow too, and none is ever 0") func extremes() {
        #expect(weights([nil, 0], at: 3 * second, weight: 1000).weights == [100_000, 10_000])
        #expect(weights([nil, 0], at: 0, least: 1).weights == [100, 1])
    }

    @Test("a clock that is behind counts as the beginning") func behind() {
        #expect(weights([nil, 50 * second], at: 49 * second).weights == [100, 10])
    }

    @Test("where bad ones serve too, those that have become good are needed at once") func shortOfGood() {
        let found = weights([nil, 0, nil], at: second, bad: [0, 2])
        #expect(found.weights == [1, 1, 1])
        #expect(!found.isGrowing)
    }

    @Test("weights of a list so large that they could overflow do not grow but are full") func huge() {
        let found = weights([0] + Array(repeating: nil, count: 250), at: 0, weight: 100_000)
        #expect(found.weights == Array(repeating: 100_000, count: 251))
    }
}
