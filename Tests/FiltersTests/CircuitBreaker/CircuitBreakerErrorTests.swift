import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("A circuit breaker that failures open")
struct CircuitBreakerErrorTests {
    @Test("Failures in a row open it, at once for all workers, and it says until when")
    func inARow() throws {
        let bench = try BreakerBench("errors: { consecutive: 3 }", workers: 2)
        #expect((0..<4).map { _ in bench.exchange(502) } == [502, 502, 502, 503])
        bench.advance(by: .milliseconds(1500))
        let refused = bench.request(worker: 1)
        #expect(refused.reply?.status == 503)
        #expect(refused.reply?.body == "the circuit breaker of cluster app is open\n")
        #expect(
            refused.reply?.fields.map { "\($0.name.lowercased()): \($0.value)" }
                == ["x-envoy-overloaded: true", "retry-after: 4"])
        #expect("\(refused.facts.reason)" == "circuit_breaker.open")
        #expect(
            refused.facts.limit?.line == "the circuit breaker of cluster app is open, set at test.yaml:1:1 errors")
        #expect(bench.count("opened") == 1 && bench.count("rejected_open") == 2)
        #expect(bench.worker.value(ofGauge: "circuit_breaker.open") == 1)
        #expect(
            bench.worker.logLines == [
                "warning circuit_breaker: circuit breaker opened breaker=cluster app why=3 failures in a row for=5s"
            ])
        refused.close()
    }

    @Test("A success between failures begins the count anew")
    func notInARow() throws {
        let bench = try BreakerBench("errors: { consecutive: 3 }")
        #expect([500, 500, 200, 500, 500, 404, 500].map { bench.exchange(Status($0)) }.allSatisfy { $0 != 503 })
        #expect(bench.count("opened") == 0)
    }

    @Test("A share of failures over the window and all workers opens it, from the smallest number of requests on")
    func rate() throws {
        let bench = try BreakerBench("errors: { consecutive: 0, min_requests: 10, failure_rate: 40% }", workers: 2)
        for number in 0..<9 {
            let stream = bench.request(worker: number % 2)
            stream.responseHead(number < 5 ? 500 : 200, last: true)
            stream.close()
        }
        #expect(bench.count("opened") == 0)
        bench.exchange(500)
        #expect(bench.count("opened") == 1)
        #expect(bench.worker.logLines[0].contains("why=6 of 10 requests failed within 10s"))
    }

    @Test("What is older than the window does not open it")
    func old() throws {
        let bench = try BreakerBench("errors: { consecutive: 0, min_requests: 10 }")
        for _ in 0..<9 { bench.exchange(500) }
        bench.advance(by: .seconds(11))
        for _ in 0..<9 { bench.exchange(500) }
        #expect(bench.count("opened") == 0)
    }

    @Test("Probes close it again, and what was before is forgotten")
    func closes() throws {
        let bench = try BreakerBench(
            "errors: { consecutive: 0, min_requests: 4, open_for: 1s, window: 60s, probes: 2 }")
        for _ in 0..<4 { bench.exchange(500) }
        bench.advance(by: .seconds(1))
        let probes = (0..<3).map { _ in bench.request() }
        #expect(probes.map { $0.reply?.status } == [nil, nil, 503])
        probes[..<2].forEach { $0.responseHead(200, last: true) }
        probes.forEach { $0.close() }
        #expect(bench.count("closed") == 1 && bench.count("probes") == 2)
        #expect(bench.worker.value(ofGauge: "circuit_breaker.open") == 0)
        #expect(
            bench.worker.logLines.last
                == "info circuit_breaker: circuit breaker closed breaker=cluster app why=2 probes succeeded")
        #expect((0..<3).map { _ in bench.exchange(500) } == [500, 500, 500])
        #expect(bench.count("opened") == 1)
    }

    @Test("A probe that fails opens it again for longer")
    func opensAgain() throws {
        let bench = try BreakerBench("errors: { consecutive: 1, open_for: 1s }")
        bench.exchange(500)
        bench.advance(by: .seconds(1))
        #expect(bench.exchange(500) == 500)
        bench.advance(by: .seconds(1))
        #expect(bench.exchange() == 503)
        #expect(bench.worker.logLines.last?.hasSuffix("why=a probe failed for=2s") == true)
        #expect(bench.worker.value(ofGauge: "circuit_breaker.open") == 1)
    }

    @Test(
        "A probe without an outcome lets another one try",
        arguments: [Ending.fault(Fault(.clientGone, "test")), .complete, .fault(Fault(.draining, "test"))])
    func probeWithoutOutcome(ending: Ending) throws {
        let bench = try BreakerBench("errors: { consecutive: 1, probes: 1 }")
        bench.exchange(500)
        bench.advance(by: .seconds(5))
        let probe = bench.request()
        if case .complete = ending {
            probe.facts.isLocalReply = true
            probe.responseHead(503, last: true)
        }
        probe.close(ending)
        #expect(bench.exchange() == 200)
        #expect(bench.count("closed") == 1)
    }

    @Test("What Sluice answers itself, and what the client does, is no outcome")
    func noOutcome() throws {
        let bench = try BreakerBench("errors: { consecutive: 1 }")
        let answered = bench.request()
        answered.facts.isLocalReply = true
        answered.responseHead(503, last: true)
        answered.close()
        let gone = bench.request()
        gone.close(.fault(Fault(.clientGone, "test")))
        let overflown = bench.request()
        overflown.faultBelow(Fault(.overflow, "test"))
        overflown.close()
        #expect(bench.exchange() == 200)
    }

    @Test("A fault of the upstream is a failure, and the answer that is made of it is not another")
    func faults() throws {
        let bench = try BreakerBench("errors: { consecutive: 2 }")
        for expected in [UInt64(0), 1] {
            let stream = bench.request()
            #expect(!stream.faultBelow(Fault(.connectFailed, "test")))
            stream.close()
            #expect(bench.count("opened") == expected)
        }
    }

    @Test("An answer that breaks off turns its success into a failure")
    func brokenOff() throws {
        let bench = try BreakerBench("errors: { consecutive: 0, min_requests: 2, failure_rate: 100% }")
        for _ in 0..<2 {
            let stream = bench.request()
            stream.responseHead(200)
            stream.responseBody("half")
            #expect(bench.count("opened") == 0)
            stream.close(.fault(Fault(.upstreamClosed, "test")))
        }
        #expect(bench.count("opened") == 1)
    }

    @Test("Answers that break off are failures in a row, though each of them began well")
    func brokenOffInARow() throws {
        let bench = try BreakerBench("errors: { consecutive: 2 }")
        for _ in 0..<2 {
            let stream = bench.request()
            stream.responseHead(200)
            stream.close(.fault(Fault(.upstreamClosed, "test")))
        }
        #expect(bench.count("opened") == 1)
    }

    @Test("A try that a filter above gave up without an answer is a failure, one that it had seen fail is not another")
    func givenUp() throws {
        let bench = try BreakerBench("errors: { consecutive: 2, failures: [ timeout, reset ] }")
        let excused = bench.request()
        excused.faultBelow(Fault(.connectFailed, "test"))
        excused.close(.replay)
        let counted = bench.request()
        counted.faultBelow(Fault(.upstreamReset, "test"))
        counted.close(.replay)
        #expect(bench.count("opened") == 0)
        bench.request().close(.replay)
        #expect(bench.count("opened") == 1)
    }

    @Test("Slow answers open it, and a slow probe does not close it")
    func slow() throws {
        let bench = try BreakerBench("errors: { slow_call: 2s, min_requests: 5, slow_rate: 80% }")
        for delay in [0, 2, 2, 2] as [Int] { bench.exchange(after: .seconds(delay)) }
        #expect(bench.count("opened") == 0)
        bench.exchange(after: .seconds(3))
        #expect(bench.worker.logLines[0].contains("why=4 of 5 requests within 10s took 2s or longer"))
        bench.advance(by: .seconds(8))
        bench.exchange(after: .seconds(2))
        #expect(bench.count("opened") == 2)
    }

    @Test(
        "Calls of gRPC fail by their status, in the head or behind the body",
        arguments: [
            ("0", false, false), ("5", true, false), ("14", false, true), ("14", true, true), ("4", true, true),
            ("", true, true),
        ])
    func grpc(status: String, isInTrailers: Bool, isFailure: Bool) throws {
        let bench = try BreakerBench("errors: { consecutive: 1 }")
        let stream = bench.request()
        if isInTrailers {
            stream.responseHead(200, ["content-type": "application/grpc+proto"])
            stream.responseBody("x", last: status.isEmpty)
            #expect(bench.count("opened") == 0)
            if !status.isEmpty { stream.responseTrailers(["grpc-status": status]) }
        } else {
            stream.responseHead(200, ["content-type": "application/grpc", "grpc-status": status], last: true)
        }
        stream.close()
        #expect(bench.count("opened") == (isFailure ? 1 : 0))
    }

    @Test("What was let through before the breaker closed again says nothing")
    func late() throws {
        let bench = try BreakerBench("errors: { consecutive: 2, probes: 1 }")
        let late = bench.request()
        bench.exchange(500)
        bench.exchange(500)
        bench.advance(by: .seconds(5))
        bench.exchange()
        late.responseHead(500, last: true)
        late.close()
        bench.exchange(500)
        #expect(bench.count("opened") == 1 && bench.count("closed") == 1)
        bench.exchange(500)
        #expect(bench.count("opened") == 2)
    }

    @Test("An endpoint that fails is left out, and is tried again by itself")
    func endpoints() throws {
        let bench = try BreakerBench("{ scope: endpoint, errors: { consecutive: 1, probes: 1 } }")
        let failed = bench.request()
        failed.faultBelow(Fault(.connectFailed, "test"))
        failed.close()
        #expect(bench.worker.logLines[0].contains("breaker=endpoint 10.0.0.1:80 of cluster app"))
        let next = bench.stream()
        next.requestHead(last: true)
        next.clusterAttached(bench.app)
        #expect(!next.endpointPicked(bench.first))
        #expect(next.endpointPicked(bench.second))
        next.responseHead(200, last: true)
        next.close()
        bench.advance(by: .seconds(5))
        let probe = bench.request()
        probe.responseHead(200, last: true)
        probe.close()
        #expect(bench.count("closed") == 1)
    }

    @Test("Both kinds together: a place that a request did not need is given back")
    func both() throws {
        let bench = try BreakerBench("{ max_requests: 2, errors: { consecutive: 1, probes: 1 } }")
        bench.exchange(500)
        bench.advance(by: .seconds(5))
        let probe = bench.request()
        let refused = (0..<5).map { _ in bench.request() }
        #expect(refused.allSatisfy { "\($0.facts.reason)" == "circuit_breaker.open" })
        probe.responseHead(200, last: true)
        let beside = bench.request()
        let third = bench.request()
        #expect(beside.reply == nil)
        #expect("\(third.facts.reason)" == "circuit_breaker.max_requests")
        ([probe, beside, third] + refused).forEach { $0.close() }
    }
}
