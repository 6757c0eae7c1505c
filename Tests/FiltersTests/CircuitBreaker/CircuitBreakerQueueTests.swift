import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("A circuit breaker that lets requests wait")
struct CircuitBreakerQueueTests {
    private static let config = "{ max_requests: 1, on_open: queue, queue: { max: 2, timeout: 1s } }"

    @Test("Requests over the limit are held, and get places in the order in which they came, over all workers")
    func order() throws {
        let bench = try BreakerBench(Self.config, workers: 2)
        let running = bench.request()
        let second = bench.request(worker: 1)
        let third = bench.request()
        #expect(second.isHeldAtCluster && third.isHeldAtCluster)
        #expect(bench.worker.value(ofGauge: "circuit_breaker.waiting") == 2)
        running.close()
        second.settle()
        third.settle()
        #expect(!second.isHeldAtCluster && third.isHeldAtCluster)
        #expect(second.endpointPicked(bench.first))
        second.close()
        third.settle()
        #expect(!third.isHeldAtCluster)
        third.close()
        let last = bench.request()
        #expect(!last.isHeldAtCluster && last.reply == nil)
        last.close()
        #expect(bench.count("queued") == 2)
        #expect(bench.worker.value(ofGauge: "circuit_breaker.waiting") == 0)
    }

    @Test("No more wait than are allowed to")
    func full() throws {
        let bench = try BreakerBench(Self.config)
        let streams = (0..<4).map { _ in bench.request() }
        #expect(streams.map { $0.reply?.status } == [nil, nil, nil, 503])
        #expect(streams[3].reply?.body == "queue.max (2) of cluster app is reached\n")
        #expect("\(streams[3].facts.reason)" == "circuit_breaker.queue_full")
        #expect(bench.count("rejected_queue_full") == 1)
        streams.reversed().forEach { $0.close() }
    }

    @Test("Who waits for too long is refused, and the place goes to the next")
    func timeout() throws {
        let bench = try BreakerBench(Self.config)
        let streams = (0..<3).map { _ in bench.request() }
        streams[1].advance(by: .seconds(1))
        #expect(
            streams[1].reply?.body
                == "max_requests (1) of cluster app is reached, and no place became free within queue.timeout (1s)\n")
        #expect("\(streams[1].facts.reason)" == "circuit_breaker.queue_timeout")
        #expect(streams[1].facts.limit?.place == "test.yaml:1:1 queue.timeout")
        streams[0].close()
        streams[2].settle()
        #expect(!streams[2].isHeldAtCluster)
        streams[1].close()
        streams[2].close()
        #expect(bench.count("queue_timeout") == 1)
        #expect(bench.exchange() == 200)
    }

    @Test("Whose client goes away leaves the line, and a place that it was just given goes on to the next")
    func clientsThatGo() throws {
        let bench = try BreakerBench(Self.config)
        let running = bench.request()
        let gone = bench.request()
        let given = bench.request()
        gone.close(.fault(Fault(.clientGone, "test")))
        let next = bench.request()
        running.close()
        // It has been given the place and does not know it yet.
        given.close(.fault(Fault(.clientGone, "test")))
        next.settle()
        #expect(!next.isHeldAtCluster && next.fault == nil)
        next.close()
        #expect(bench.exchange() == 200)
    }

    @Test("Time that runs out after a place was given does no harm")
    func timeoutTooLate() throws {
        let bench = try BreakerBench(Self.config)
        let running = bench.request()
        let waiting = bench.request()
        running.close()
        waiting.advance(by: .seconds(2))
        waiting.settle()
        #expect(waiting.reply == nil && !waiting.isHeldAtCluster)
        #expect(waiting.endpointPicked(bench.first))
        waiting.close()
        #expect(bench.exchange() == 200)
    }

    @Test("In a listener's scope the head is held")
    func listener() throws {
        let bench = try BreakerBench("{ scope: listener, max_requests: 1, on_open: queue }")
        let running = bench.request()
        let waiting = bench.stream()
        #expect(waiting.requestHead(last: true) == .hold)
        running.close()
        waiting.settle()
        #expect(waiting.below.hasHead)
        #expect(waiting.clusterAttached(bench.app) == .next)
        waiting.close()
        #expect(bench.exchange() == 200)
    }

    @Test("Who has waited while the breaker opened is refused, and gives its place back")
    func opensMeanwhile() throws {
        let bench = try BreakerBench("{ max_requests: 1, on_open: queue, errors: { consecutive: 1 } }")
        let running = bench.request()
        let waiting = [bench.request(), bench.request()]
        running.responseHead(500, last: true)
        running.close()
        for stream in waiting {
            stream.settle()
            #expect(!stream.isHeldAtCluster)
            #expect(!stream.endpointPicked(bench.first))
            #expect("\(stream.fault?.reason ?? "")" == "circuit_breaker.open")
        }
        waiting.forEach { $0.close() }
        bench.advance(by: .seconds(5))
        let probe = bench.request()
        #expect(probe.reply == nil && !probe.isHeldAtCluster)
        probe.close()
    }
}
