internal import CLinux
internal import FilterAPI

/// Clusters and endpoints of which nothing is there but their statistics: for measuring what these take.
package enum StatTrial {
    /// Bytes of the heap for each of many clusters, and for each endpoint, after traffic of a usual kind on all workers.
    package static func bytes(workers: Int, count: Int = 1000) -> (cluster: Double, endpoint: Double) {
        let registry = StatRegistry(workers: workers)
        var clusters: [AnyObject] = []
        clusters.reserveCapacity(count * (workers + 1))
        var before = heap()
        for number in 0..<count {
            let name = "a-service-in-the-mesh-\(number)"
            clusters.append(MembershipStats(registry, cluster: name))
            for worker in 0..<workers {
                let stats = ClusterStats(registry, cluster: name, worker: worker)
                stats.answered(200)
                stats.answered(503)
                for time in [900_000, 2_500_000, 12_000_000] as [UInt64] { stats.requestTime.record(time) }
                stats.connectTime.record(300_000)
                clusters.append(stats)
            }
        }
        let cluster = Double(heap() - before) / Double(count)
        var endpoints: [AnyObject] = []
        endpoints.reserveCapacity(count)
        before = heap()
        for number in 0..<count {
            let scope = StatScope.endpoint("10.0.\(number / 250).\(number % 250):8080", of: "a-service-in-the-mesh")
            endpoints.append(registry.group(scope, EndpointStat.schema))
        }
        let endpoint = Double(heap() - before) / Double(count)
        withExtendedLifetime((clusters, endpoints)) {}
        return (cluster, endpoint)
    }

    private static func heap() -> Int {
        let info = mallinfo2()
        return Int(info.uordblks + info.hblkhd)
    }
}
