import FilterAPI
import Testing

@testable import Filters

@Suite("When a request is tried again") struct RetryPolicyTests {
    private func policy(_ conditions: [RetryCondition], _ edit: (inout Retry.Settings) -> Void = { _ in }) throws
        -> RetryPolicy
    {
        var settings = Retry.Settings()
        settings.on = conditions
        edit(&settings)
        return try RetryPolicy(settings)
    }

    struct StatusRow: Sendable {
        let condition: RetryCondition
        let wanted: Set<Int>
    }

    private static let statuses = [200, 204, 301, 400, 404, 409, 418, 429, 500, 501, 502, 503, 504, 599]

    @Test(
        "conditions that look at the status",
        arguments: [
            StatusRow(condition: .serverError, wanted: [500, 501, 502, 503, 504, 599]),
            StatusRow(condition: .gatewayError, wanted: [502, 503, 504]),
            StatusRow(condition: .retriable4xx, wanted: [409]),
            StatusRow(condition: .retriableStatusCodes, wanted: [418, 429]),
            StatusRow(condition: .reset, wanted: []),
            StatusRow(condition: .connectFailure, wanted: []),
            StatusRow(condition: .unavailable, wanted: []),
        ])
    func status(row: StatusRow) throws {
        let policy = try policy([row.condition]) { $0.statusCodes = [418, 429] }
        let wanted = Self.statuses.filter { code in
            var head = ResponseHead()
            head.status = Status(code)
            return policy.wants(head)
        }
        #expect(Set(wanted) == row.wanted)
    }

    @Test("an answer's fields may ask for a further try")
    func fields() throws {
        let policy = try policy([.retriableHeaders]) {
            var test = Router.ValueSettings()
            test.exact = "yes"
            $0.responseHeaders = ["x-again": test]
        }
        for (value, wanted) in [("yes", true), ("no", false)] {
            var head = ResponseHead()
            head.headers.add(HeaderName("x-again")!, value)
            #expect(policy.wants(head) == wanted)
        }
        let isWanted = policy.wants(ResponseHead())
        #expect(!isWanted)
    }

    struct FaultRow: Sendable {
        let fault: Fault
        let wanted: Set<RetryCondition>
    }

    private static let anyAnswer: Set<RetryCondition> = [.serverError, .gatewayError, .reset]

    @Test(
        "conditions that look at what failed",
        arguments: [
            FaultRow(fault: Fault(.connectFailed, "t", replay: .always), wanted: anyAnswer.union([.connectFailure])),
            FaultRow(fault: Fault(.connectTimeout, "t", replay: .always), wanted: anyAnswer.union([.connectFailure])),
            FaultRow(fault: Fault(.handshakeFailed, "t", replay: .always), wanted: anyAnswer.union([.connectFailure])),
            FaultRow(fault: Fault(.upstreamClosed, "t", replay: .ifIdempotent), wanted: anyAnswer),
            FaultRow(
                fault: Fault(.upstreamClosed, "t", replay: .always), wanted: anyAnswer.union([.resetBeforeRequest])),
            FaultRow(
                fault: Fault(.upstreamReset, "t", replay: .always),
                wanted: anyAnswer.union([.refusedStream, .resetBeforeRequest])),
            FaultRow(fault: Fault(.upstreamProtocol, "t"), wanted: anyAnswer),
            FaultRow(fault: Fault(.upstreamTimeout, "t", replay: .ifIdempotent), wanted: anyAnswer),
            FaultRow(fault: Fault(.overflow, "t", replay: .always), wanted: []),
            FaultRow(fault: Fault(.noEndpoint, "t", replay: .always), wanted: []),
            FaultRow(fault: Fault(.clientGone, "t"), wanted: []),
            FaultRow(fault: Fault(.filterFailed, "t"), wanted: []),
        ])
    func fault(row: FaultRow) throws {
        let wanted = try RetryCondition.allCases.filter { condition in
            try policy([condition]) {
                $0.statusCodes = [500]
                $0.responseHeaders = ["x": Router.ValueSettings()]
            }.wants(row.fault)
        }
        #expect(Set(wanted) == row.wanted)
    }

    @Test("conditions that look at the outcome of a gRPC call")
    func grpc() throws {
        let table: [(RetryCondition, Int)] = [
            (.cancelled, 1), (.deadlineExceeded, 4), (.resourceExhausted, 8), (.internalError, 13), (.unavailable, 14),
        ]
        for (condition, code) in table {
            let policy = try policy([condition])
            #expect((0...16).filter { policy.wants(GRPCStatus($0)) } == [code])
        }
        #expect(try !policy([.unavailable]).wants(nil as GRPCStatus?))
    }

    private static let millisecond: UInt64 = 1_000_000

    @Test("what forbids a further try")
    func verdicts() throws {
        let policy = try policy([.serverError]) { $0.attempts = 2 }
        func verdict(_ edit: (inout RetryPolicy.Situation) -> Void) -> RetryPolicy.Verdict {
            var situation = RetryPolicy.Situation()
            edit(&situation)
            return policy.verdict(situation, lot: .max)
        }
        // The largest lot is just below the limit.
        #expect(verdict { _ in } == .retry(after: 25 * Self.millisecond - 1, isAsked: false))
        #expect(verdict { $0.retries = 1 } == .retry(after: 75 * Self.millisecond - 1, isAsked: false))
        #expect(verdict { $0.retries = 2 } == .limitReached)
        #expect(verdict { $0.isIdempotent = false } == .notIdempotent)
        #expect(
            verdict {
                $0.isIdempotent = false
                $0.isHarmless = true
            } == .retry(after: 25 * Self.millisecond - 1, isAsked: false))
        #expect(verdict { $0.isKept = false } == .bodyTooLarge)
        #expect(verdict { $0.timeLeft = 24 * Self.millisecond } == .noTime)
        #expect(verdict { $0.timeLeft = 0 } == .noTime)
        #expect(
            verdict { $0.timeLeft = 26 * Self.millisecond } == .retry(after: 25 * Self.millisecond - 1, isAsked: false))
    }

    @Test("a POST is tried again where the settings ask for it")
    func nonIdempotent() throws {
        let policy = try policy([.serverError]) { $0.nonIdempotent = true }
        let verdict = policy.verdict(RetryPolicy.Situation(isIdempotent: false), lot: 0)
        #expect(verdict == .retry(after: 0, isAsked: false))
    }

    @Test("Retry-After is obeyed, up to a limit")
    func retryAfter() throws {
        let policy = try policy([.serverError]) { $0.maxRetryAfter = .seconds(10) }
        func verdict(_ after: UInt64) -> RetryPolicy.Verdict {
            policy.verdict(RetryPolicy.Situation(retryAfter: after), lot: 0)
        }
        #expect(verdict(2_000 * Self.millisecond) == .retry(after: 2_000 * Self.millisecond, isAsked: true))
        #expect(verdict(11_000 * Self.millisecond) == .noTime)
        let deaf = try self.policy([.serverError]) { $0.maxRetryAfter = .zero }
        #expect(
            deaf.verdict(RetryPolicy.Situation(retryAfter: .max), lot: 0) == .retry(after: 0, isAsked: false))
    }

    @Test(
        "the two forms of Retry-After",
        arguments: [
            ("0", 0), ("3", 3), ("Thu, 01 Jan 1970 00:01:05 GMT", 5), ("Thu, 01 Jan 1970 00:00:05 GMT", 0),
            ("soon", -1),
            ("-3", -1), ("3.5", -1), ("Thu, 01 Foo 1970 00:01:05 GMT", -1), ("", -1),
        ])
    func retryAfterForms(text: String, seconds: Int) {
        var headers = Headers()
        headers.add(.retryAfter, text)
        let pause = RetryAfter.pause(headers, wallClock: 60)
        #expect(pause == (seconds < 0 ? nil : UInt64(seconds) * 1_000_000_000))
    }

    @Test("pauses double, and stay below the cap")
    func backoff() {
        let backoff = Backoff(base: 25, cap: 250)
        #expect((1...6).map { backoff.pause(before: $0, lot: .max) } == [24, 74, 174, 249, 249, 249])
        #expect(backoff.pause(before: 3, lot: 0) == 0)
        #expect(Backoff(base: .max / 2, cap: 9).pause(before: 64, lot: .max) == 8)
    }
}

@Suite("The budget of further tries") struct RetryBudgetTests {
    private let second: UInt64 = 1_000_000_000

    @Test("a fifth of the requests may be tried again, and no more")
    func share() {
        var budget = RetryBudget(millionths: 200_000, window: 10 * second)
        for _ in 0..<100 { budget.deposit(now: 1) }
        let allowed = (0..<100).reduce(0) { count, _ in budget.withdraw(now: 1) ? count + 1 : count }
        #expect(allowed == 20)
    }

    @Test("in an outage of any length the further tries stay at the share")
    func outage() {
        var budget = RetryBudget(millionths: 200_000, window: 10 * second)
        var allowed = 0
        for step in 1...60_000 {
            let now = UInt64(step) * 1_000_000
            budget.deposit(now: now)
            if budget.withdraw(now: now) { allowed += 1 }
        }
        #expect((11_900...12_000).contains(allowed))
    }

    @Test("where every sixth request fails, all of them may be tried again")
    func partial() {
        var budget = RetryBudget(millionths: 200_000, window: 10 * second)
        var refused = 0
        for step in 1...60_000 {
            let now = UInt64(step) * 1_000_000
            budget.deposit(now: now)
            if step % 6 == 0, !budget.withdraw(now: now) { refused += 1 }
        }
        #expect(refused == 0)
    }

    @Test("what quiet times have left is gone after the window")
    func fading() {
        var budget = RetryBudget(millionths: 200_000, window: 10 * second)
        for _ in 0..<100 { budget.deposit(now: second) }
        let allowed = budget.withdraw(now: 2 * second)
        #expect(allowed)
        let refused = !budget.withdraw(now: 12 * second)
        #expect(refused)
    }

    @Test("a clock that stands still or goes back does no harm")
    func clock() {
        var budget = RetryBudget(millionths: 1_000_000, window: second)
        budget.deposit(now: 5 * second)
        budget.deposit(now: 4 * second)
        let allowed = budget.withdraw(now: second)
        #expect(allowed)
    }
}
