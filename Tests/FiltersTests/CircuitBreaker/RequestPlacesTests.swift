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

    @Test("Taking and giving back as fast as can be never lets one too many in")
    func hammered() async {
        let places = Self.makePlaces()
        let sight = Sight()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<300_000 where places.take(limit: 1) {
                        sight.enter()
                        sight.leave()
                        places.giveBack()
                    }
                }
            }
        }
        #expect(sight.most.load(ordering: .relaxed) == 1)
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

    /// Where tokens lead to: tells that the request went on.
    private final class Served: ResumptionTarget {
        let count = Atomic<Int>(0)

        func resume(_ key: ResumptionKey, _ outcome: ResumptionOutcome) {
            count.add(1, ordering: .sequentiallyConsistent)
        }

        func request(limit: Int) -> WaitingRequest {
            let key = ResumptionKey(slot: 0, generation: 0, stage: 0, isRequest: true, serial: 1)
            return WaitingRequest(limit: limit, Resumption(target: self, key: key))
        }
    }

    private static func makePlaces() -> RequestPlaces {
        RequestPlaces(tally: GaugeTally(.detached()))
    }

    @Test("Who joins the line while a place is given back is served, whichever of the two was first at each step")
    func joinsMeanwhile() {
        let places = Self.makePlaces()
        let waiting = Served()
        // The giver has seen nobody; then all of the joining happens; then the giver goes on.
        #expect(places.take(limit: 1) && places.reserve(max: 1))
        places.join(waiting.request(limit: 1))
        places.makeFree()
        #expect(waiting.count.load(ordering: .relaxed) == 1 && places.count == 1)
        // The giver sees that somebody is about to join, and finds the line empty.
        #expect(places.reserve(max: 1))
        places.giveBack()
        places.join(waiting.request(limit: 1))
        #expect(waiting.count.load(ordering: .relaxed) == 2 && places.count == 1)
        places.giveBack()
        #expect(places.count == 0 && places.waitingCount == 0)
    }

    @Test("A limit that is raised holds for those who wait already, and nobody overtakes them")
    func raised() {
        let places = Self.makePlaces()
        let first = Served()
        let second = Served()
        #expect(places.take(limit: 1))
        #expect(places.reserve(max: 2))
        places.join(first.request(limit: 1))
        #expect(first.count.load(ordering: .relaxed) == 0)
        #expect(!places.take(limit: 2))
        #expect(places.reserve(max: 2) && !places.reserve(max: 2))
        places.join(second.request(limit: 2))
        #expect(first.count.load(ordering: .relaxed) == 1 && second.count.load(ordering: .relaxed) == 0)
        places.giveBack()
        #expect(second.count.load(ordering: .relaxed) == 1 && places.count == 2)
    }

    @Test("A limit that is lowered is kept to: places go back before anybody else runs")
    func lowered() {
        let places = Self.makePlaces()
        let waiting = Served()
        #expect(places.take(limit: 3) && places.take(limit: 3) && places.take(limit: 3))
        #expect(places.reserve(max: 1))
        places.join(waiting.request(limit: 1))
        places.giveBack()
        places.giveBack()
        #expect(waiting.count.load(ordering: .relaxed) == 0 && places.count == 1)
        places.giveBack()
        #expect(waiting.count.load(ordering: .relaxed) == 1 && places.count == 1)
    }
}
