internal import Engine
internal import FilterAPI

/// What the control thread tells of a cluster's endpoints.
final class MembershipStats {
    private let registry: StatRegistry
    private let cluster: String
    private let group: StatGroup
    private let slots: StatSlots<MembershipStat>

    init(_ registry: StatRegistry, cluster: String) {
        self.registry = registry
        self.cluster = cluster
        group = registry.group(.cluster(cluster), MembershipStat.schema, by: .control)
        slots = StatSlots(group, slot: 0)
    }

    /// The statistics of an endpoint; the same as long as somebody has it.
    func endpoint(_ address: SocketAddress) -> StatGroup {
        registry.group(.endpoint(address.description, of: cluster), EndpointStat.schema)
    }

    /// Other endpoints serve than before.
    func changed() { slots.add(.change) }

    func set(total: Int, statuses: [EndpointStatus], _ serving: ServingSet) {
        slots.set(.total, total)
        slots.set(.healthy, statuses.count { $0.isGood })
        slots.set(.degraded, serving.kept.count)
        slots.set(.excluded, statuses.count { $0.awaitsFirstPass })
        slots.set(.panic, serving.panicking.count)
    }

    /// The cluster is of this generation.
    func set(version: Int) { slots.set(.version, version) }
}
