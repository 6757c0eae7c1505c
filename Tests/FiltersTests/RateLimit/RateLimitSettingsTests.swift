import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("The settings of a rate limit")
struct RateLimitSettingsTests {
    @Test(
        "what cannot work is refused",
        arguments: [
            ("per: 1s", "is missing"), ("requests: 0", "must be at least 1"),
            ("{ requests: 1, burst: 0 }", "must be at least 1"), ("{ requests: 1, per: 0 }", "must be at least 1ms"),
            ("{ requests: 20000, per: 1ms }", "is more than ten million a second"),
            ("{ requests: 1, per: 24h, burst: 400 }", "more than a year"),
            ("{ requests: 1, per: 9000h }", "more than a year"),
            ("{ requests: 1, by: client }", "expected `listener`, `route`, `client_address` or a field"),
            ("{ requests: 1, by: {} }", "is missing"), ("{ requests: 1, by: { header: a b } }", "cannot be the name"),
            ("{ requests: 1, missing: limit }", "is for `by: { header: NAME }`"),
            ("{ requests: 1, rules: [ { requests: 2 } ] }", "exclude each other"),
            ("rules: [ { requests: 2 }, { requests: 2 } ]", "is the same as `rules[0]`"),
            ("rules: [ { per: 2s } ]", "is missing"), ("{ requests: 1, status: 200 }", "must be between 400 and 599"),
            ("{ requests: 1, max_keys: 0 }", "must be between 1 and 1000000"),
            ("{ requests: 1, headers: never }", "`never` is not accepted"),
            ("{ requests: 1, decide: late }", "`late` is not accepted"),
            ("rules: [ \((1...9).map { "{ requests: \($0) }" }.joined(separator: ", ")) ]", "there may be 8 at most"),
        ])
    func refused(config: String, message: String) {
        let error = #expect(throws: ConfigurationFault.self) {
            _ = try FakeWorker().make(RateLimit.self, config: config)
        }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test("a route limits its own requests only")
    func route() {
        for word in ["listener", "route", "client_address"] {
            var settings = RateLimit.RouteSettings()
            settings.requests = 1
            settings.by = RateLimit.SubjectSettings(shorthand: word)
            var check = SettingsCheck()
            settings.validate(&check)
            #expect(check.findings.map(\.key) == (word == "listener" ? ["by"] : []))
        }
    }

    @Test("the largest numbers that are accepted work")
    func extremes() throws {
        for config in [
            "{ requests: 1, per: 8760h }", "{ requests: 10000000, per: 1s }", "{ requests: 1000000000, per: 100s }",
            "{ requests: 1, per: 1h, burst: 8760 }", "{ requests: 10000, per: 1ms, burst: 1000000000 }",
            "{ requests: 1, max_keys: 1000000, by: client_address }",
        ] {
            let filter = try FakeWorker().make(RateLimit.self, config: config)
            let stream = FakeStream(filter)
            stream.requestHead(last: true)
            stream.clusterAttached(FactName("app"))
            #expect(stream.reply == nil)
            stream.close()
        }
    }
}
