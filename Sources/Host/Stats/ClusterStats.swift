internal import FilterAPI

/// One worker's statistics of a cluster.
final class ClusterStats {
    let cluster: StatSlots<ClusterStat>
    /// Made with the first handshake.
    private(set) lazy var tls = TLSStats(registry, .cluster(name), worker: worker)
    let connectTime: Histogram
    let length: Histogram
    let requestsPerConnection: Histogram
    let requestTime: Histogram
    let traffic: Connection.Traffic
    /// Made with the first call of gRPC.
    private lazy var grpcGroup = registry.group(StatScope.cluster(name).part("grpc"), GRPCStat.schema)
    private lazy var grpc = StatSlots<GRPCStat>(grpcGroup, slot: worker)
    private let group: StatGroup
    private let registry: StatRegistry
    private let name: String
    private let worker: Int
    /// The counters of statuses that have come up, and that few upstreams answer with.
    private var codes: [(code: Int, counter: FilterAPI.Counter)] = []

    init(_ registry: StatRegistry, cluster name: String, worker: Int) {
        self.registry = registry
        self.worker = worker
        self.name = name
        let group = registry.group(.cluster(name), ClusterStat.schema)
        self.group = group
        cluster = StatSlots(group, slot: worker)
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
        if let key = ClusterStat.usualCode(status) { return cluster.add(key) }
        for index in codes.indices where codes[index].code == status { return codes[index].counter.add() }
        let counter = registry.counter(.cluster(name), ClusterStat.code(status), slot: worker)
        codes.append((status, counter))
        counter.add()
    }

    /// Counts a gRPC call by its status, where these fields tell it.
    ///
    /// - Parameter fields: trailers, or those of a head that is the whole answer.
    func called(_ fields: borrowing Headers) {
        guard let status = GRPCStatus(in: fields) else { return }
        grpc.add(.total)
        grpc.add(status == .ok ? .success : .failure)
        grpc.add(.of(status))
    }
}
