import FilterAPI
import Testing

@testable import Host

@Suite("Names of the host's statistics")
struct StatKeyTests {
    private func check<Key: StatKey>(_ key: Key.Type) {
        let scalars = Key.entries.prefix(Key.allCases.count)
        #expect(scalars.count == Key.allCases.count, "\(key) has a name for each number")
        #expect(scalars.allSatisfy { $0.description.kind != .histogram }, "\(key) has its scalars first")
        #expect(Key.entries.dropFirst(Key.allCases.count).allSatisfy { $0.description.kind == .histogram })
        #expect(Key.allCases.map(\.rawValue) == Array(0..<Key.allCases.count))
        let names = Key.entries.map { "\($0.description.name) \($0.description.kind)" }
        #expect(Set(names).count == names.count)
    }

    @Test("each number has its place, and histograms stand behind the others")
    func places() {
        check(ListenerStat.self)
        check(HTTPStat.self)
        check(TLSStat.self)
        check(ClusterStat.self)
        check(MembershipStat.self)
        check(HealthStat.self)
        check(EndpointStat.self)
        check(ServerStat.self)
        check(ProcessStat.self)
        check(ConfigStat.self)
        check(ListenerManagerStat.self)
        check(ClusterManagerStat.self)
        check(DNSStat.self)
        check(WorkerStat.self)
    }

    @Test("statuses are counted where their names say")
    func statuses() {
        for status in [101, 200, 204, 302, 304, 404, 429, 500, 503] {
            let key = ClusterStat.ofStatus(status)
            #expect(ClusterStat.entries[key.rawValue].description.name == "upstream_rq_\(status / 100)xx")
            let own = HTTPStat.ofStatus(status)
            #expect(HTTPStat.entries[own.rawValue].description.name == "downstream_rq_\(status / 100)xx")
            guard let code = ClusterStat.usualCode(status) else { continue }
            #expect(ClusterStat.entries[code.rawValue].description.name == "upstream_rq_\(status)")
        }
        #expect(HTTPStat.entries[HTTPStat.noRoute.rawValue].description.name == "no_route")
        #expect(ClusterStat.usualCode(404) == .rq404 && ClusterStat.usualCode(418) == nil)
    }

    @Test("a cluster's statistics take no more than four kibibytes after usual traffic, an endpoint's two")
    func memory() {
        let registry = StatRegistry(workers: 1)
        let stats = ClusterStats(registry, cluster: "app", worker: 0)
        let membership = MembershipStats(registry, cluster: "app")
        let endpoint = registry.group(.endpoint("127.0.0.1:1", of: "app"), EndpointStat.schema)
        for time in [900_000, 2_500_000, 12_000_000] as [UInt64] { stats.requestTime.record(time) }
        stats.connectTime.record(300_000)
        stats.answered(200)
        let own = registry.groups.filter { $0 !== endpoint }.reduce(0) { $0 + $1.footprint }
        // What objects and names take is not in it; MicroBench measures all of it together.
        #expect(own < 2500 && endpoint.footprint <= 64)
        withExtendedLifetime((stats, membership)) {}
    }
}
