import FilterAPI
import FilterTesting
import Testing

@testable import redis_rate_limit

@Suite("Parts of redis_rate_limit") struct PartsTests {
    @Test("Where a server is")
    func addresses() {
        #expect(ServerAddress("redis.test:6379") == .network(host: "redis.test", port: 6379))
        #expect(ServerAddress("[2001:db8::1]:6380") == .network(host: "2001:db8::1", port: 6380))
        #expect(ServerAddress("unix:/run/redis.sock") == .unix(path: "/run/redis.sock"))
        for text in ["", ":6379", "a", "a:", "a:65536", "a:-1", "::1:6379", "unix:", "unix:a"] {
            #expect(ServerAddress(text) == nil, "\(text)")
        }
        #expect(ServerAddress("unix:/" + String(repeating: "a", count: 108)) == nil)
    }

    @Test(
        "Who is one client",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
            ("2001:0DB8:1:2::", "2001:db8:1:2::/64"), ("fe80::1%eth0", "fe80:0:0:0::/64"), ("", "other"),
            ("192.0.2.1:80", "other"), ("a", "other"),
        ])
    func clients(address: String, name: String) { #expect(ClientNetwork.name(address) == name) }

    @Test("Commands are lists of words with their lengths")
    func commands() {
        let bytes = RESP.command("AUTH", "wörd", "")
        #expect(String(decoding: bytes, as: UTF8.self) == "*3\r\n$4\r\nAUTH\r\n$5\r\nwörd\r\n$0\r\n\r\n")
    }

    private func limit(_ requests: Int, _ per: Duration, burst: Int? = nil) throws -> Limit {
        let rule = RuleSettings(requests: requests, per: per, burst: burst, by: nil, missing: nil)
        return Limit(rule, whose: "all", answer: try LimitAnswer(RedisRateLimit.Settings()), place: "test.yaml:1:1")
    }

    @Test("What is said of a bucket is rounded for whoever waits")
    func fields() throws {
        let limit = try limit(10, .seconds(10), burst: 5)
        let second = BucketScript.ticksPerSecond
        func told(_ missing: Int64) -> [String] {
            limit.fields(missing).map(\.value) + ["\(limit.secondsToNext(missing))"]
        }
        #expect(told(0) == ["5", "5", "0", "0"])
        #expect(told(second) == ["5", "4", "1", "0"])
        #expect(told(second * 9 / 2) == ["5", "0", "5", "1"])
        #expect(told(second * 5) == ["5", "0", "5", "1"])
        #expect(limit.reached.text == "the limit of 10 requests in 10s, 5 at once, for all is reached")
        #expect(
            try self.limit(1, .milliseconds(1500)).reached.text == "the limit of 1 request in 1500ms for all is reached"
        )
    }

    @Test("Numbers go to Redis whole, in sixteenths of a microsecond")
    func ticks() throws {
        func sent(_ limit: Limit) -> [Substring] {
            String(decoding: limit.arguments, as: UTF8.self).split(separator: "\r\n").filter { !$0.hasPrefix("$") }
        }
        #expect(sent(try limit(1, .seconds(1))) == ["16000000", "16000000"])
        #expect(sent(try limit(3, .seconds(1), burst: 2)) == ["5333333", "10666666"])
        #expect(sent(try limit(1_000_000, .seconds(1))) == ["16", "16000000"])
        #expect(sent(try limit(1, .seconds(365 * 86_400))).first == "504576000000000")
    }
}
