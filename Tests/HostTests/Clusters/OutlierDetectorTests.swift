import Engine
import FilterAPI
import Testing

@testable import Host

private let second: Nanoseconds = 1_000_000_000

@Suite("Outlier detection")
struct OutlierDetectorTests {
    private func address(_ number: Int) -> SocketAddress { SocketAddress(v4: 0x0A00_0000 + UInt32(number), port: 80) }

    private func detector(
        _ count: Int, floor: Int = 0, failed: Set<Int> = [], _ edit: (inout OutlierSettings) -> Void = { _ in }
    ) -> OutlierDetector {
        var settings = OutlierSettings()
        edit(&settings)
        var detector = OutlierDetector(settings, minServing: .percent(floor), seed: 1)
        #expect(detector.list(list(0..<count, failed: failed), at: 0) == [])
        return detector
    }

    private func list(_ numbers: Range<Int>, failed: Set<Int> = []) -> [(address: SocketAddress, failedCheck: Bool)] {
        numbers.map { (address($0), failed.contains($0)) }
    }

    private func isEject(_ verdict: OutlierVerdict?) -> Bool {
        if case .eject = verdict { true } else { false }
    }

    private func time(_ verdict: OutlierVerdict?) -> Nanoseconds? {
        if case .eject(_, let time, _) = verdict { time } else { nil }
    }

    private func bound(_ verdict: OutlierVerdict?) -> OutlierBound? {
        if case .keep(_, let bound) = verdict { bound } else { nil }
    }

    // MARK: How many

    /// All of them fail, one after the other.
    @Test(
        "puts aside no more than the settings allow, one of a small pool, and never the last",
        arguments: [
            (1, 50, 0, 0, OutlierBound.floor), (2, 50, 0, 1, .maxEjectionPercent), (3, 50, 0, 1, .maxEjectionPercent),
            (4, 50, 0, 2, .maxEjectionPercent), (10, 50, 0, 5, .maxEjectionPercent), (2, 10, 0, 1, .maxEjectionPercent),
            (10, 20, 0, 2, .maxEjectionPercent), (3, 0, 0, 0, .maxEjectionPercent), (1, 100, 0, 0, .floor),
            (2, 100, 0, 1, .floor), (3, 100, 0, 2, .floor), (4, 100, 50, 2, .floor), (5, 100, 50, 2, .floor),
            (3, 100, 100, 0, .floor), (2, 50, 50, 1, .maxEjectionPercent), (2, 50, 51, 0, .floor),
        ])
    func most(count: Int, percent: Int, floor: Int, ejected: Int, bound: OutlierBound) {
        var detector = detector(count, floor: floor) { $0.maxEjectionPercent = .percent(percent) }
        let verdicts = (0..<count).map { detector.reached(.consecutive5xx, by: address($0), at: second) }
        #expect(verdicts.prefix(ejected).allSatisfy { isEject($0) })
        #expect(verdicts.dropFirst(ejected).allSatisfy { self.bound($0) == bound })
        #expect(detector.ejected == (0..<ejected).map(address))
    }

    @Test("leaves alone the last one that its health check lets serve, and takes others that do not serve anyway")
    func checks() {
        var detector = detector(3, failed: [1, 2]) { $0.maxEjectionPercent = .all }
        #expect(bound(detector.reached(.consecutive5xx, by: address(0), at: second)) == .floor)
        #expect(isEject(detector.reached(.consecutive5xx, by: address(1), at: second)))
        #expect(isEject(detector.reached(.consecutive5xx, by: address(2), at: second)))
    }

    @Test("says nothing about one that is put aside, has gone or was never there")
    func unknown() {
        var detector = detector(4)
        #expect(isEject(detector.reached(.consecutiveLocalOriginFailure, by: address(0), at: second)))
        #expect(detector.reached(.consecutive5xx, by: address(0), at: second) == nil)
        #expect(detector.reached(.consecutive5xx, by: address(9), at: second) == nil)
        #expect(detector.list(list(0..<3), at: second) == [])
        #expect(detector.reached(.consecutive5xx, by: address(3), at: second) == nil)
    }

    @Test("lets the first ones come back when others go, and the last one in any case")
    func shrinking() {
        var detector = detector(4)
        _ = detector.reached(.consecutive5xx, by: address(1), at: 1 * second)
        _ = detector.reached(.consecutive5xx, by: address(0), at: 2 * second)
        #expect(detector.list(list(0..<3), at: 3 * second) == [.release(address(1), .tooFewLeft)])
        #expect(detector.list(list(0..<1), at: 4 * second) == [.release(address(0), .tooFewLeft)])
        #expect(detector.ejected == [])
    }

    // MARK: How long

    @Test("puts aside for longer each time, up to the longest")
    func times() {
        var detector = detector(2) { $0.maxEjectionTime = .seconds(100) }
        var now = Nanoseconds(0)
        var times: [Nanoseconds] = []
        for _ in 0..<6 {
            let verdict = detector.reached(.consecutive5xx, by: address(0), at: now)
            let time = time(verdict) ?? 0
            times.append(time / second)
            #expect(detector.nextRelease == now + time)
            #expect(detector.release(at: now + time - 1) == [])
            #expect(detector.release(at: now + time) == [.release(address(0), .timeIsOver)])
            now += time
        }
        #expect(times == [30, 60, 90, 100, 100, 100])
    }

    @Test("forgets a time for each interval in which the endpoint behaves, from a whole one on")
    func wearingOff() {
        var detector = detector(2)
        var now = Nanoseconds(0)
        for expected in [30, 60, 90] as [Nanoseconds] {
            #expect(time(detector.reached(.consecutive5xx, by: address(0), at: now)) == expected * second)
            _ = detector.interval([:], at: now + 1)
            now += expected * second
            _ = detector.release(at: now)
        }
        #expect(detector.interval([:], at: now + 9 * second) == [])
        for tick in 1...2 as ClosedRange<Nanoseconds> { _ = detector.interval([:], at: now + tick * 10 * second) }
        #expect(time(detector.reached(.consecutive5xx, by: address(0), at: now + 21 * second)) == 60 * second)
    }

    @Test("never takes less than the base time, and survives the longest times that can be set")
    func extremes() {
        var short = detector(2) { $0.maxEjectionTime = .seconds(1) }
        #expect(time(short.reached(.consecutive5xx, by: address(0), at: 0)) == 30 * second)
        let century = Duration.seconds(100 * 365 * 86_400)
        var long = detector(2) { settings in
            settings.baseEjectionTime = century
            settings.maxEjectionTime = century
            settings.maxEjectionTimeJitter = century
        }
        #expect(isEject(long.reached(.consecutive5xx, by: address(0), at: .max - 1)))
        #expect(long.nextRelease == .max)
    }

    @Test("adds up to the jitter, not always the same")
    func jitter() {
        var detector = detector(40) { settings in
            settings.maxEjectionPercent = .all
            settings.maxEjectionTimeJitter = .seconds(10)
        }
        let times = (0..<30).compactMap { time(detector.reached(.consecutive5xx, by: address($0), at: 0)) }
        #expect(times.count == 30 && times.allSatisfy { (30 * second...40 * second).contains($0) })
        #expect(Set(times).count > 20)
    }

    @Test("knows one that goes and comes back: it stays aside, and its times are not forgotten")
    func comingBack() {
        var detector = detector(3)
        _ = detector.reached(.consecutive5xx, by: address(2), at: 0)
        _ = detector.list(list(0..<2), at: second)
        #expect(detector.ejected == [])
        #expect(detector.list(list(0..<3), at: 2 * second) == [])
        #expect(detector.ejected == [address(2)])
        _ = detector.list(list(0..<2), at: 3 * second)
        #expect(detector.release(at: 30 * second) == [], "nobody is told of one that is not there")
        _ = detector.list(list(0..<3), at: 31 * second)
        #expect(time(detector.reached(.consecutive5xx, by: address(2), at: 32 * second)) == 60 * second)
    }

    @Test("forgets one that has been away for the longest time")
    func forgetting() {
        var detector = detector(2)
        _ = detector.list(list(0..<1), at: 0)
        _ = detector.interval([:], at: 299 * second)
        #expect(detector.knows(address(1)))
        _ = detector.interval([:], at: 300 * second)
        #expect(!detector.knows(address(1)) && detector.knows(address(0)))
    }

    @Test("lets one come back that a health check finds well, if the settings say so")
    func checkSucceeds() {
        for comesBack in [true, false] {
            var detector = detector(2) { $0.successfulActiveHealthCheckUnejectHost = comesBack }
            #expect(detector.checkSucceeded(address(0), at: 0) == nil)
            _ = detector.reached(.consecutive5xx, by: address(0), at: 0)
            let verdict = detector.checkSucceeded(address(0), at: second)
            #expect(verdict == (comesBack ? .release(address(0), .checkSucceeded) : nil))
            #expect(detector.ejected.isEmpty == comesBack)
        }
    }

    // MARK: How often

    @Test("does what it finds as often as `enforcing` says")
    func enforcing() {
        var never = detector(2)
        let finding = OutlierFinding(address: address(0), kind: .consecutiveGatewayFailure, measured: 5, limit: 5)
        for _ in 0..<50 {
            #expect(never.reached(.consecutiveGatewayFailure, by: address(0), at: 0) == .notice(finding))
        }
        var sometimes = detector(1000) { settings in
            settings.maxEjectionPercent = .all
            settings.enforcing.consecutive5xx = .percent(30)
        }
        for number in 0..<900 { _ = sometimes.reached(.consecutive5xx, by: address(number), at: 0) }
        #expect((200...350).contains(sometimes.ejected.count))
    }

    // MARK: Shares

    /// Good answers of each endpoint in a hundred; the rest is 5xx.
    private func counts(_ good: [UInt64], of requests: UInt64 = 100) -> [SocketAddress: OutcomeCounts] {
        var counts: [SocketAddress: OutcomeCounts] = [:]
        for (number, good) in good.enumerated() {
            let successes = requests * good / 100
            counts[address(number)] = OutcomeCounts(successes: successes, serverErrors: requests - successes)
        }
        return counts
    }

    @Test(
        "finds those whose share of good answers is far below that of the others",
        arguments: [
            // Mean 84, deviation 32: the limit is 23.2.
            ([100, 100, 100, 100, 20], 100, [4]),
            // The limit is 18.6 or so, where 20 are fine.
            ([100, 100, 100, 20, 20], 100, []),
            ([99, 99, 99, 99, 99], 100, []), ([0, 0, 0, 0, 0], 100, []),
            // Too few requests, and too few endpoints.
            ([100, 100, 100, 100, 20], 99, []), ([100, 100, 100, 20], 100, []),
            ([97, 96, 98, 97, 99, 60, 97, 98, 99, 96], 1000, [5]),
        ] as [([UInt64], UInt64, [Int])])
    func successRate(good: [UInt64], requests: UInt64, found: [Int]) {
        var detector = detector(good.count)
        _ = detector.interval(counts(good, of: requests), at: 10 * second)
        #expect(detector.ejected == found.map(address))
    }

    @Test("says what was measured, and what the limit was")
    func numbers() {
        var detector = detector(5)
        let verdicts = detector.interval(counts([100, 100, 100, 100, 20]), at: 10 * second)
        guard case .eject(let finding, 30_000_000_000, 1) = verdicts.first else {
            Issue.record("nothing was put aside")
            return
        }
        #expect(finding.kind == .successRate && finding.measured == 20 && finding.requests == 100)
        #expect(abs(finding.limit - 23.2) < 0.001)
    }

    @Test(
        "finds those whose share of bad answers is large, whatever the others do",
        arguments: [
            ([15, 16, 100, 100, 100], 50, [0]), ([15, 16, 100, 100, 100], 49, []), ([15, 16, 100, 100], 50, []),
            // The worst two of them, where half may be put aside.
            ([10, 0, 15, 5, 12], 100, [1, 3]),
        ] as [([UInt64], UInt64, [Int])])
    func failurePercentage(good: [UInt64], requests: UInt64, found: [Int]) {
        var detector = detector(good.count) { settings in
            settings.enforcing.failurePercentage = .all
            settings.enforcing.successRate = .zero
        }
        _ = detector.interval(counts(good, of: requests), at: 10 * second)
        #expect(detector.ejected == found.map(address))
    }

    @Test("counts faults on the way as bad answers, or apart from them")
    func split() {
        for isSplit in [false, true] {
            var detector = detector(6) { $0.splitExternalLocalOriginErrors = isSplit }
            var counts = counts([100, 100, 100, 100, 100, 100])
            counts[address(2)] = OutcomeCounts(successes: 20, localFailures: 980)
            let verdicts = detector.interval(counts, at: 10 * second)
            guard verdicts.count == 1, case .eject(let finding, _, _) = verdicts[0] else {
                Issue.record("\(verdicts)")
                continue
            }
            #expect(finding.address == address(2))
            #expect(finding.kind == (isSplit ? .localOriginSuccessRate : .successRate))
            #expect(finding.measured == 2 && finding.requests == 1000)
        }
    }

    @Test("compares those only that serve")
    func ejectedShares() {
        var detector = detector(6)
        _ = detector.reached(.consecutive5xx, by: address(5), at: 0)
        let verdicts = detector.interval(counts([100, 100, 100, 100, 20, 0]), at: 10 * second)
        #expect(verdicts.count == 1)
        #expect(detector.ejected == [address(4), address(5)])
    }
}
