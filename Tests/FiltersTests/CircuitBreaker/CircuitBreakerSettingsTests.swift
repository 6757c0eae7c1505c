import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("The settings of a circuit breaker")
struct CircuitBreakerSettingsTests {
    @Test(
        "What cannot work is refused",
        arguments: [
            ("{}", "there is no limit"), ("max_requests: 0", "must be at least 1"),
            ("{ max_requests: 1, scope: endpoint, on_open: queue }", "requests cannot wait for one endpoint"),
            ("{ errors: {}, on_open: queue }", "`queue` is for requests over `max_requests`, which is not set"),
            ("{ max_requests: 1, queue: { max: 0 } }", "must be between 1 and 1000000"),
            ("{ max_requests: 1, queue: { timeout: 0 } }", "must be more than 0"),
            ("errors: { window: 1ms }", "must be between 100ms and 1h"),
            ("errors: { failure_rate: 0% }", "must be more than 0%"),
            ("errors: { slow_rate: 0 }", "must be more than 0%"),
            ("errors: { open_for: 2m }", "is less than `open_for`"),
            ("errors: { probes: 0 }", "must be between 1 and 1000"),
            ("errors: { failures: [] }", "nothing is a failure"),
        ])
    func refused(config: String, message: String) {
        let error = #expect(throws: ConfigurationFault.self) {
            _ = try FakeWorker().make(CircuitBreaker.self, config: config)
        }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test("Numbers that say nothing have defaults")
    func defaults() throws {
        let filter = try FakeWorker().make(CircuitBreaker.self, config: "errors: {}")
        #expect(filter.settings.scope == .cluster && filter.settings.maxRequests == nil)
        let rules = BreakerRules(filter.settings)
        #expect(rules.maxRequests == 0 && rules.queue == nil)
        #expect(rules.errors?.failures == [.status5xx, .connectFailure, .timeout, .reset, .grpc])
    }
}
