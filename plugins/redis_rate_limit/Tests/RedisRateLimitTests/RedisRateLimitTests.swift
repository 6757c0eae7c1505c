import FilterAPI
import FilterTesting
import Testing

@testable import redis_rate_limit

/// Nobody listens there.
private let nowhere = "unix:/nowhere/redis.sock"

@Suite("The filter redis_rate_limit, as far as it goes without a Redis") struct RedisRateLimitTests {
    private let worker = FakeWorker()

    private func stream(
        _ fields: KeyValuePairs<String, String> = [:], _ edit: (inout RedisRateLimit.Settings) -> Void = { _ in }
    ) throws -> FakeStream<RedisRateLimit> {
        let filter = try worker.make(RedisRateLimit.self) {
            $0.server = nowhere
            $0.requests = 1
            edit(&$0)
        }
        let stream = FakeStream(filter, .fake(fields: fields))
        stream.requestHead(last: true)
        return stream
    }

    private func failures(_ reason: String) -> UInt64 {
        worker.value(of: "redis_rate_limit.errors{reason=\"\(reason)\"}")
    }

    @Test("A request is held at its cluster; when the time is over it goes on")
    func open() throws {
        let stream = try stream()
        #expect(stream.below.isComplete)
        stream.clusterAttached(FactName("app"))
        stream.advance(by: .milliseconds(50))
        stream.settle()
        #expect(!stream.isHeldAtCluster && stream.reply == nil)
        stream.responseHead(200, last: true)
        #expect(stream.above.status == 200 && stream.above.values("ratelimit-limit") == [])
        stream.close()
        #expect(worker.value(of: "redis_rate_limit.failure_mode_allowed") == 1)
        #expect(failures("timeout") + failures("unavailable") == 1)
        #expect(worker.values(ofHistogram: "redis_rate_limit.wait").count == 1)
    }

    @Test("Or it is answered, where that is set")
    func closed() throws {
        let stream = try stream { $0.onError = .closed }
        stream.clusterAttached(FactName("app"))
        stream.advance(by: .milliseconds(50))
        stream.settle()
        #expect(stream.reply?.status == 503)
        stream.close()
        #expect("\(stream.facts.reason)" == "redis_rate_limit.undecided")
        #expect(worker.value(of: "redis_rate_limit.failure_mode_allowed") == 0)
    }

    @Test("A further try of a request is not a second request, and a client that leaves is none")
    func tries() throws {
        let stream = try stream()
        stream.clusterAttached(FactName("app"))
        stream.advance(by: .milliseconds(50))
        stream.settle()
        stream.clusterAttached(FactName("app"))
        #expect(!stream.isHeldAtCluster)
        stream.clientGone()
        let other = try self.stream { $0.timeout = .seconds(60) }
        // Known to be away by now, or not: it waits for nothing either way.
        other.clusterAttached(FactName("app"))
        other.clientGone()
        #expect(failures("timeout") + failures("unavailable") <= 2)
    }

    @Test("What is not limited is not held")
    func free() throws {
        let off = try stream()
        off.routeSettings = RedisRateLimit.RouteSettings()
        off.routeSettings?.enabled = false
        off.clusterAttached(FactName("app"))
        #expect(!off.isHeldAtCluster)
        off.close()
        let none = try stream { $0.requests = nil }
        none.clusterAttached(FactName("app"))
        #expect(!none.isHeldAtCluster)
        none.close()
        let fieldless = try stream { $0.by = try? worker.decode(BySettings.self, config: "{ by: { header: x-a } }").by }
        fieldless.clusterAttached(FactName("app"))
        #expect(!fieldless.isHeldAtCluster)
        fieldless.close()
        #expect(failures("timeout") + failures("unavailable") == 0)
    }

    private struct BySettings: FilterSettings {
        var by: RedisRateLimit.SubjectSettings?
    }

    @Test(
        "Settings that cannot work are refused",
        arguments: [
            "{}", "{ server: redis }", "{ server: 'a:0' }", "{ server: 'unix:redis.sock' }", "{ server: '::1:6379' }",
            "{ server: 'a:1', requests: 0 }", "{ server: 'a:1', per: 1s }", "{ server: 'a:1', timeout: 0s }",
            "{ server: 'a:1', user: b }", "{ server: 'a:1', requests: 1, by: everybody }",
            "{ server: 'a:1', requests: 1, by: { header: 'a b' } }", "{ server: 'a:1', requests: 1, missing: limit }",
            "{ server: 'a:1', requests: 1000001 }", "{ server: 'a:1', requests: 1, per: 9000h }",
            "{ server: 'a:1', requests: 1, status: 200 }", "{ server: 'a:1', max_pending: 0 }",
        ])
    func settings(text: String) {
        #expect(throws: ConfigurationFault.self) { try worker.make(RedisRateLimit.self, config: text) }
    }

    @Test("It keeps the rules of filters", arguments: ["open", "closed"])
    func conformance(mode: String) {
        let options = ConformanceOptions(config: "{ server: '\(nowhere)', requests: 5, on_error: \(mode) }")
        #expect(Conformance.findings(RedisRateLimit.self, options) == [])
    }
}
