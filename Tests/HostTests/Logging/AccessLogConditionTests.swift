import FilterAPI
import FilterTesting
import Filters
import Testing

@testable import Host

struct AccessLogConditionTests {
    private func holds(
        _ facts: StreamFacts, lot: UInt64 = 0, target: String = "/", isHTTP: Bool = true,
        _ edit: (inout AccessLogConditionSettings) -> Void
    ) throws -> Bool {
        var settings = AccessLogConditionSettings()
        edit(&settings)
        let condition = try #require(AccessLogCondition(settings))
        let connection = FakeConnection().facts
        return condition.holds(
            facts, .fake("GET", target),
            .init(now: Instant(nanoseconds: 5_000_000), lot: lot, connection: connection, isHTTP: isHTTP))
    }

    private func facts(reason: StaticString = "", flags: ResponseFlags = []) -> StreamFacts {
        var facts = StreamFacts()
        facts.status = 503
        facts.start = Instant(nanoseconds: 1_000_000)
        facts.reason = reason
        facts.flags = flags
        return facts
    }

    /// What has not ended, such as a connection that was cut, has lasted until now.
    @Test func aDurationRunsToTheEndOrUntilNow() throws {
        #expect(try holds(facts()) { $0.minDuration = .milliseconds(4) })
        #expect(try !holds(facts()) { $0.minDuration = .milliseconds(5) })
        var ended = facts()
        ended.responseEnd = Instant(nanoseconds: 3_000_000)
        #expect(try holds(ended) { $0.minDuration = .milliseconds(2) })
        #expect(try !holds(ended) { $0.minDuration = .milliseconds(3) })
        #expect(try !holds(StreamFacts()) { $0.minDuration = .milliseconds(1) })
    }

    @Test(
        arguments: [
            ("upstream", true), ("upstream.", true), ("upstream.closed", true), ("up", false), ("upstream.clo", false),
            ("upstream.closed.x", false), ("closed", false),
        ])
    func aReasonIsNamedByItsBeginning(_ text: String, _ expected: Bool) throws {
        #expect(try holds(facts(reason: "upstream.closed")) { $0.reasons = [text] } == expected)
        #expect(try !holds(facts()) { $0.reasons = [text] })
    }

    @Test func flagsGoByBothNames() throws {
        let failed = facts(flags: [.upstreamConnectionTermination, .upstreamRetryLimitExceeded])
        for name in ["UC", "URX", "UpstreamConnectionTermination", "any"] {
            #expect(try holds(failed) { $0.flags = [name] })
            #expect(try !holds(facts()) { $0.flags = [name] })
        }
        #expect(try !holds(failed) { $0.flags = ["UF"] })
    }

    @Test func aLotFallsWithinAShareOrNot() throws {
        for (share, lot, expected) in [(1, UInt64.max / 101, true), (1, .max / 99, false), (100, .max, true)] {
            #expect(try holds(facts(), lot: lot) { $0.sample = .percent(share) } == expected)
        }
    }

    @Test func onlyHTTPHasRequests() throws {
        for isHTTP in [true, false] {
            #expect(try holds(facts(), target: "/a/b", isHTTP: isHTTP) { $0.request = .init(prefix: "/a") } == isHTTP)
        }
        #expect(try !holds(facts(), target: "/b") { $0.request = .init(prefix: "/a") })
    }

    /// Each share of the lots is drawn as often as it should be: within five standard deviations.
    @Test func lotsAreFair() {
        var lots = LotGenerator()
        var counts = [Int](repeating: 0, count: 16)
        for _ in 0..<160_000 { counts[Int(lots.next() >> 60)] += 1 }
        for count in counts { #expect(abs(count - 10_000) < 490) }
    }
}

extension Router.MatchSettings {
    fileprivate init(prefix: String) {
        self.init()
        self.prefix = prefix
    }
}
