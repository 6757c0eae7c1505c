internal import FilterAPI

/// One worker's statistics of a cluster.
final class ClusterStats {
    let cluster: StatSlots<ClusterStat>
    let tls: TLSStats
    let connectTime: Histogram
    let length: Histogram
    let requestsPerConnection: Histogram
    let requestTime: Histogram
    let traffic: Connection.Traffic
    private let group: StatGroup
    private let registry: StatRegistry
    private let scope: StatScope
    private let worker: Int
    /// The counters of statuses that have come up, the first of them as a rule the usual one.
    private var codes: [(code: Int, counter: FilterAPI.Counter)] = []

    init(_ registry: StatRegistry, cluster name: String, worker: Int) {
        self.registry = registry
        self.worker = worker
        scope = .cluster(name)
        let group = registry.group(scope, ClusterStat.schema)
        self.group = group
        cluster = StatSlots(group, slot: worker)
        tls = TLSStats(registry, scope, worker: worker)
        connectTime = group.histogram(named: "upstream_cx_connect_ms", slot: worker)
        length = group.histogram(named: "upstream_cx_length_ms", slot: worker)
        requestsPerConnection = group.histogram(named: "upstream_rq_per_cx", slot: worker)
        requestTime = group.histogram(named: "upstream_rq_time", slot: worker)
        traffic = Connection.Traffic(received: cluster.counter(.cxReceived), sent: cluster.counter(.cxSent))
    }

    /// Counts an answer by its status.
    func answered(_ status: Int) {
        cluster.add(.rqCompleted)
        cluster.add(.ofStatus(status))
        for index in codes.indices where codes[index].code == status { return codes[index].counter.add() }
        let counter = registry.counter(scope, ClusterStat.code(status), slot: worker)
        codes.append((status, counter))
        counter.add()
    }
}
