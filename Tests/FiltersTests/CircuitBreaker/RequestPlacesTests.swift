import FilterAPI
import FilterTesting
import Synchronization
import Testing

@testable import Filters

@Suite("Places for requests, on several threads")
struct RequestPlacesTests {
    /// What several threads count together.
    private final class Sight: Sendable {
        let running = Atomic<Int>(0)
        let most = Atomic<Int>(0)
        let served = Atomic<Int>(0)

        func enter() {
            let now = running.add(1, ordering: .sequentiallyConsistent).newValue
            most.max(now, ordering: .sequentiallyConsistent)
            served.add(1, ordering: .sequentiallyConsistent)
        }

        func leave() { running.subtract(1, ordering: .sequentiallyConsistent) }
    }

    /// A filter and its streams, on whichever thread runs it.
    ///
    /// SAFETY: each is used by one task only.
    private struct Lane: @unchecked Sendable {
        let filter: CircuitBreaker
    }

    private func lanes(_ count: Int, _ config: String) throws -> (BreakerBench, [Lane]) {
        let bench = try BreakerBench(config, workers: count)
        return (bench, bench.filters.map { Lane(filter: $0) })
    }

    @Test("Never more run than may, whatever ends how, and in the end none does")
    func exact() async throws {
        let (bench, lanes) = try lanes(4, "{ max_requests: 3, errors: { consecutive: 0 } }")
        let sight = Sight()
        let app = bench.app
        await withTaskGroup(of: Void.self) { group in
            for (seed, lane) in lanes.enumerated() {
                group.addTask {
                    var generator = SmallGenerator(seed: UInt64(seed))
                    var open: [FakeStream<CircuitBreaker>] = []
                    for _ in 0..<20_000 {
                        if open.count < 3, Bool.random(using: &generator) {
                            let stream = FakeStream(lane.filter)
                            stream.requestHead(last: true)
                            stream.clusterAttached(app)
                            if stream.reply == nil {
                                sight.enter()
                                open.append(stream)
                            } else {
                                stream.close()
                            }
                        } else if let index = open.indices.randomElement(using: &generator) {
                            let stream = open.remove(at: index)
                            sight.leave()
                            stream.close(Bool.random(using: &generator) ? .complete : .replay)
                        }
                    }
                    for stream in open {
                        sight.leave()
                        stream.close()
                    }
                }
            }
        }
        #expect(sight.most.load(ordering: .relaxed) == 3)
        #expect(sight.served.load(ordering: .relaxed) > 1000)
        let places = bench.filters[0].table.breaker(BreakerKey(name: "cluster app")).breaker.places
        #expect(places.count == 0)
    }

    @Test("None that waits is forgotten, and none runs that should wait")
    func nobodyIsForgotten() async throws {
        let (bench, lanes) = try lanes(
            4, "{ max_requests: 2, on_open: queue, queue: { max: 1000, timeout: 1m } }")
        let sight = Sight()
        let app = bench.app
        let endpoint = bench.first
        let perLane = 5_000
        await withTaskGroup(of: Void.self) { group in
            for lane in lanes {
                group.addTask {
                    for number in 0..<perLane {
                        let stream = FakeStream(lane.filter)
                        stream.requestHead(last: true)
                        stream.clusterAttached(app)
                        if number % 16 == 7, stream.isHeldAtCluster {
                            // The client goes away, perhaps at the moment in which it is served.
                            stream.close(.fault(Fault(.clientGone, "test")))
                            continue
                        }
                        // Whoever runs lets go by itself, so that all are served in the end unless one was forgotten.
                        while stream.isHeldAtCluster {
                            await Task.yield()
                            stream.settle()
                        }
                        _ = stream.endpointPicked(endpoint)
                        sight.enter()
                        sight.leave()
                        stream.close()
                    }
                }
            }
        }
        #expect(sight.most.load(ordering: .relaxed) <= 2)
        #expect(sight.served.load(ordering: .relaxed) >= perLane * 4 * 15 / 16)
        let places = bench.filters[0].table.breaker(BreakerKey(name: "cluster app")).breaker.places
        #expect(places.count == 0 && places.waitingCount == 0)
    }
}
