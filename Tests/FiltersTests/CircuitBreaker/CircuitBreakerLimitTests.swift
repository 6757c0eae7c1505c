import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("A circuit breaker that counts requests")
struct CircuitBreakerLimitTests {
    @Test("One more than the limit is refused, and says by which limit and where it is set")
    func refuses() throws {
        let bench = try BreakerBench("max_requests: 2")
        let running = [bench.request(), bench.request()]
        let refused = bench.request()
        #expect(refused.reply?.status == 503)
        #expect(refused.reply?.body == "max_requests (2) of cluster app is reached\n")
        #expect(refused.reply?.fields.map { "\($0.name.lowercased()): \($0.value)" } == ["x-envoy-overloaded: true"])
        #expect(refused.facts.flags == .upstreamOverflow)
        #expect("\(refused.facts.reason)" == "circuit_breaker.max_requests")
        #expect(
            refused.facts.limit?.line
                == "max_requests (2) of cluster app is reached, set at test.yaml:1:1 max_requests")
        #expect(bench.count("rejected_max_requests") == 1)
        running.forEach { $0.close() }
        refused.close()
        let next = bench.request()
        #expect(next.reply == nil)
        next.close()
    }

    @Test(
        "A place is given back once, however a request ends",
        arguments: [
            Ending.complete, .replay, .fault(Fault(.clientGone, "test")), .fault(Fault(.upstreamReset, "test")),
        ])
    func givesBack(ending: Ending) throws {
        let bench = try BreakerBench("{ max_requests: 1, errors: { consecutive: 0 } }")
        for _ in 0..<3 {
            let stream = bench.request()
            #expect(stream.reply == nil)
            // Several endpoints may be tried, and the same request may be sent again by a filter below.
            stream.endpointPicked(bench.second)
            stream.clusterAttached(bench.app)
            stream.close(ending)
        }
        let running = bench.request()
        let refused = bench.request()
        #expect(running.reply == nil && refused.reply != nil)
        running.close()
        refused.close()
    }

    @Test("Clusters have breakers of their own, and all workers and routes share them")
    func clusters() throws {
        let bench = try BreakerBench("max_requests: 1", workers: 2)
        let streams = [
            bench.request(), bench.request(to: bench.other), bench.request(worker: 1),
            bench.request(route: bench.checkout),
        ]
        #expect(streams.map { $0.reply?.status } == [nil, nil, 503, 503])
        streams.forEach { $0.close() }
    }

    @Test("Routes have breakers of their own in their scope, and so have those without a name")
    func routes() throws {
        let bench = try BreakerBench("{ scope: route, max_requests: 1 }")
        let streams = [
            bench.request(route: bench.checkout), bench.request(route: bench.search),
            bench.request(to: bench.other, route: bench.checkout), bench.request(), bench.request(),
        ]
        #expect(streams.map { $0.reply?.status } == [nil, nil, 503, nil, 503])
        #expect(streams[2].reply?.body == "max_requests (1) of route checkout is reached\n")
        #expect(
            streams[4].reply?.body == "max_requests (1) of the routes without a name to cluster app is reached\n")
        streams.forEach { $0.close() }
    }

    @Test("A listener's breaker decides before a route is looked for")
    func listener() throws {
        let bench = try BreakerBench("{ scope: listener, max_requests: 1 }")
        let running = bench.request()
        let refused = bench.stream()
        refused.requestHead(last: true)
        #expect(refused.reply?.body == "max_requests (1) of listener inbound is reached\n")
        running.close()
        refused.close()
    }

    @Test("An endpoint that is full is left out, and where all are the client is told")
    func endpoints() throws {
        let bench = try BreakerBench("{ scope: endpoint, max_requests: 1 }")
        let streams = [bench.request(), bench.request(), bench.request()]
        #expect(streams[1].endpointPicked(bench.second))
        #expect(!streams[2].endpointPicked(bench.second))
        #expect(streams[2].faultBelow(Fault(.overflow, "upstream.endpoints_refused")))
        #expect(streams[2].reply?.body == "max_requests (1) of each endpoint of cluster app is reached\n")
        #expect(streams[2].facts.flags == .upstreamOverflow)
        #expect(bench.count("endpoints_skipped") == 3)
        #expect(bench.count("rejected_max_requests") == 1)
        streams.forEach { $0.close() }
        let after = bench.request()
        #expect(after.endpointPicked(bench.second))
        // What was picked before is free again.
        let beside = bench.request()
        #expect(!beside.endpointPicked(bench.second))
        #expect(beside.endpointPicked(bench.first))
        after.close()
        beside.close()
    }

    @Test("A route may have numbers of its own, which count its requests alone, or none at all")
    func ownNumbers() throws {
        let bench = try BreakerBench("max_requests: 1")
        var own = CircuitBreaker.RouteSettings()
        own.maxRequests = 2
        var off = CircuitBreaker.RouteSettings()
        off.enabled = false
        let plain = [bench.request(), bench.request()]
        let owned = (0..<3).map { _ in bench.request(route: bench.checkout, own: own) }
        let unnamed = (0..<3).map { _ in bench.request(own: own) }
        var others = own
        others.maxRequests = 3
        let apart = (0..<3).map { _ in bench.request(own: others) }
        let free = (0..<3).map { _ in bench.request(route: bench.search, own: off) }
        #expect(plain.map { $0.reply?.status } == [nil, 503])
        #expect(owned.map { $0.reply?.status } == [nil, nil, 503])
        #expect(owned[2].reply?.body == "max_requests (2) of cluster app on route checkout is reached\n")
        #expect(
            owned[2].facts.limit?.line
                == "max_requests (2) of cluster app on route checkout is reached, set at route checkout")
        #expect(unnamed.map { $0.reply?.status } == [nil, nil, 503])
        #expect(apart.map { $0.reply?.status } == [nil, nil, nil])
        #expect(free.map { $0.reply?.status } == [nil, nil, nil])
        (plain + owned + unnamed + apart + free).forEach { $0.close() }
    }

    @Test("A new generation with another limit goes on counting where the old one was")
    func reload() throws {
        let bench = try BreakerBench("max_requests: 1")
        let old = bench.request()
        let filter = try bench.worker.make(CircuitBreaker.self, config: "max_requests: 2")
        let new = (0..<2).map { _ in FakeStream(filter) }
        for stream in new {
            stream.requestHead(last: true)
            stream.clusterAttached(bench.app)
        }
        #expect(new.map { $0.reply?.status } == [nil, 503])
        ([old] + new).forEach { $0.close() }
    }
}
