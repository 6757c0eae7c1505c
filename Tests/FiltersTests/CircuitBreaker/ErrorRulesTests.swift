import FilterAPI
import Testing

@testable import Filters

@Suite("What opens a breaker, and what is a failure")
struct ErrorRulesTests {
    private func rules(_ edit: (inout CircuitBreaker.ErrorSettings) -> Void = { _ in }) -> ErrorRules {
        var settings = CircuitBreaker.ErrorSettings()
        edit(&settings)
        return ErrorRules(settings)
    }

    @Test(
        "Failures in a row, and rates from a number of requests on",
        arguments: [
            (OutcomeSums(), 4, nil), (OutcomeSums(), 5, .inARow(5)),
            (OutcomeSums(total: 19, failures: 19), 0, nil),
            (OutcomeSums(total: 20, failures: 10), 0, .failureRate(10, of: 20)),
            (OutcomeSums(total: 21, failures: 10), 0, nil),
            (OutcomeSums(total: 20, failures: 0, slow: 15), 0, nil),
            (OutcomeSums(total: 20, failures: 0, slow: 16), 0, .slowRate(16, of: 20)),
        ] as [(OutcomeSums, Int, OpeningCause?)])
    func causes(sums: OutcomeSums, inARow: Int, expected: OpeningCause?) {
        let rules = rules {
            $0.slowCall = .seconds(2)
            $0.consecutive = 5
        }
        #expect(rules.cause(sums, inARow: inARow) == expected)
    }

    @Test("What is switched off opens nothing")
    func off() {
        #expect(rules().cause(OutcomeSums(), inARow: 1000) == nil)
        #expect(rules().cause(OutcomeSums(total: 100, failures: 0, slow: 100), inARow: 0) == nil)
    }

    @Test("Causes are told with their numbers")
    func words() {
        let rules = rules { $0.slowCall = .milliseconds(1500) }
        #expect(rules.words(.inARow(5)) == "5 failures in a row")
        #expect(rules.words(.failureRate(12, of: 20)) == "12 of 20 requests failed within 10s")
        #expect(rules.words(.slowRate(16, of: 20)) == "16 of 20 requests within 10s took 1s500ms or longer")
    }

    @Test(
        "A status counts by its kind",
        arguments: [
            ([.status5xx], [500, 502, 503, 504, 599]), ([.gatewayError], [502, 503, 504]), ([.timeout], []),
        ] as [([CircuitBreaker.Failure], [Int])])
    func statuses(kinds: [CircuitBreaker.Failure], expected: [Int]) {
        let failures = FailureKinds(kinds)
        #expect([200, 404, 429, 500, 502, 503, 504, 599].filter { failures.count(Status($0)) } == expected)
    }

    @Test("Of the statuses of gRPC those count that are the server's doing")
    func statusesOfGRPC() {
        #expect((0...16).filter { FailureKinds([.grpc]).count(GRPCStatus($0)) } == [2, 4, 8, 13, 14])
        #expect((0...16).filter { FailureKinds([.status5xx]).count(GRPCStatus($0)) }.isEmpty)
    }

    @Test(
        "A fault counts by whose doing it was, and by its kind",
        arguments: [
            (.connectFailure, [.connectFailed, .connectTimeout, .handshakeFailed, .nameNotResolved]),
            (.timeout, [.upstreamTimeout, .idleTimeout]),
            (.reset, [.upstreamClosed, .upstreamReset, .upstreamProtocol]), (.status5xx, []),
        ] as [(CircuitBreaker.Failure, Set<Fault.Kind>)])
    func faults(kind: CircuitBreaker.Failure, expected: Set<Fault.Kind>) {
        let failures = FailureKinds([kind])
        let counted = Fault.Kind.allCases.filter { failures.count(Fault($0, "test"), isAnswerDue: true) }
        #expect(Set(counted) == expected)
        #expect(!failures.count(Fault(.idleTimeout, "test"), isAnswerDue: false))
        #expect(!failures.count(Fault(.upstreamTimeout, "test", origin: .client), isAnswerDue: true))
    }
}
