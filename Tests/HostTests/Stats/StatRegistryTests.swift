import FilterAPI
import Testing

@testable import Host

@Suite("Where statistics are kept") struct StatRegistryTests {
    private static let schema = StatSchema([
        .counter("requests", "Requests."), .gauge("running", "Requests that run."),
        .histogram("time", .time, "How long."),
    ])

    private func stage(_ name: String = "probe") -> StageIdentity {
        StageIdentity(
            stage: name, owner: "inbound", side: .client, isHTTP: true,
            manifest: Manifest(
                id: "probe", summary: "", stats: [.counter("hits", "Hits."), .gauge("level", "The level.")]))
    }

    @Test("A group lasts as long as somebody has it") func weakGroups() {
        let registry = StatRegistry(workers: 2)
        var group: StatGroup? = registry.group(.cluster("app"), Self.schema)
        #expect(registry.groups.count == 1)
        #expect(registry.group(.cluster("app"), Self.schema) === group, "the same for all who ask meanwhile")
        group = nil
        #expect(registry.groups.isEmpty && group == nil)
        #expect(registry.value("cluster.app.requests") == nil)
        _ = registry.lastingGroup(.cluster("app"), Self.schema)
        #expect(registry.groups.count == 1)
    }

    @Test("Groups that have gone leave nothing behind, however many there were") func manyGroups() {
        let registry = StatRegistry(workers: 1)
        for number in 0..<1000 { _ = registry.group(.cluster("c\(number)"), Self.schema) }
        let last = registry.group(.cluster("last"), Self.schema)
        #expect(registry.groups.count == 1)
        withExtendedLifetime(last) {}
    }

    @Test("Each worker has a slot, and what is read is the sum") func slots() {
        let registry = StatRegistry(workers: 3)
        for slot in 0..<3 {
            let counter = registry.counter("hits", stage(), nil, slot: slot)
            for _ in 0...slot { counter.add() }
        }
        #expect(registry.value("http.inbound.probe.hits") == 6)
    }

    @Test("A gauge is one number, whoever sets it") func gauges() {
        let registry = StatRegistry(workers: 2)
        registry.gauge("level", stage(), nil).set(5)
        registry.gauge("level", stage(), nil).set(7)
        #expect(registry.value("http.inbound.probe.level") == 7)
    }

    @Test("Two filters of one kind do not count together") func names() {
        let registry = StatRegistry(workers: 1)
        registry.counter("hits", stage("first"), nil, slot: 0).add()
        registry.counter("hits", stage("second"), nil, slot: 0).add()
        #expect(registry.value("http.inbound.first.hits") == 1)
        #expect(registry.value("http.inbound.second.hits") == 1)
    }

    @Test("Series of labels are bounded; what is new then is counted together") func overflow() {
        let registry = StatRegistry(workers: 2)
        for (slot, user) in ["a", "b", "c", "d", "a", "c"].enumerated() {
            registry.counter("hits", stage(), StatLabels([("user", user)], most: 2), slot: slot % 2).add()
        }
        var found: [String: Int64] = [:]
        for group in registry.groups { found[group.scope.series] = group.value(group.schema.entries[0]) }
        #expect(found == ["user=\"a\"": 2, "user=\"b\"": 1, "otel_metric_overflow=\"true\"": 3])
    }

    @Test("A label without a value is as if it were not there") func emptyLabels() {
        let registry = StatRegistry(workers: 1)
        registry.counter("hits", stage(), StatLabels([("user", ""), ("kind", "x")], most: 9), slot: 0).add()
        #expect(registry.groups.map(\.scope.series) == ["kind=\"x\""])
    }

    @Test("A reset takes counters and histograms of one slot, and leaves what goes up and down") func reset() {
        let registry = StatRegistry(workers: 2)
        let group = registry.group(.cluster("app"), Self.schema)
        let (requests, running, time) = (Self.schema.entries[0], Self.schema.entries[1], Self.schema.entries[2])
        for slot in 0..<2 {
            unsafe Counter(cell: group.words(slot: slot) + requests.position).add()
            unsafe Gauge(cell: group.words(slot: slot) + running.position).set(1)
            group.histogram(time, slot: slot).record(1000)
        }
        group.resetCounters(slot: 0)
        var totals = HistogramTotals()
        group.read(time, into: &totals)
        #expect(group.value(requests) == 1 && group.value(running) == 2 && totals.count == 1)
    }
}
