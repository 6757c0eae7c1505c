internal import FilterAPI

/// What becomes of listeners and clusters over reloads, and how near clusters are to their limits.
final class GenerationStats {
    private let registry: StatRegistry
    private let listeners: StatSlots<ListenerManagerStat>
    private let clusters: StatSlots<ClusterManagerStat>
    private var breakers: [String: Breakers] = [:]
    /// Of the listeners that are in place.
    private var names: [String] = []

    /// The limits of one cluster, with what all workers have of it.
    private struct Breakers {
        let group: StatGroup
        let quota: ClusterQuota
        let limits: ClusterLimits
    }

    init(_ registry: StatRegistry) {
        self.registry = registry
        listeners = StatSlots(
            registry.lastingGroup(.listenerManager, ListenerManagerStat.schema, .control), slot: 0)
        clusters = StatSlots(registry.lastingGroup(.clusterManager, ClusterManagerStat.schema, .control), slot: 0)
    }

    func couldNotBind() { listeners.add(.createFailure) }
    func workersStarted() { listeners.set(.workersStarted, 1) }

    /// A plan is in place.
    ///
    /// - Parameters:
    ///   - before: the one that it takes the place of.
    ///   - listeners: the names of those that are new or changed.
    ///   - clusters: likewise.
    func note(
        _ next: GenerationPlan, after before: GenerationPlan?, listeners changed: [String], clusters others: [String]
    ) {
        let known = Set(before?.listeners.map(\.name) ?? [])
        listeners.add(.added, changed.count { !known.contains($0) })
        listeners.add(.modified, changed.count { known.contains($0) })
        listeners.add(.removed, known.subtracting(next.listeners.map(\.name)).count)
        listeners.add(.createSuccess, changed.count)
        listeners.set(.active, next.listeners.count { !$0.isAdmin })
        let knownClusters = Set(before?.clusters.map(\.name) ?? [])
        clusters.add(.added, others.count { !knownClusters.contains($0) })
        clusters.add(.modified, others.count { knownClusters.contains($0) })
        clusters.add(.removed, knownClusters.subtracting(next.clusters.map(\.name)).count)
        clusters.set(.active, next.clusters.count)
        names = next.listeners.map(\.name)
        breakers = [:]
        for cluster in next.clusters {
            breakers[cluster.name] = Breakers(
                group: registry.group(.cluster(cluster.name), MembershipStat.schema, by: .control),
                quota: ClusterQuota.shared(cluster: cluster.name), limits: cluster.limits)
        }
    }

    /// Works out which listeners drain, and how near each cluster is to its limits.
    ///
    /// - Parameter isDraining: whether listeners of the config may have stopped.
    func gather(isDraining: Bool) {
        gatherDraining(isDraining)
        for breaker in breakers.values {
            let slots = StatSlots<MembershipStat>(breaker.group, slot: 0)
            func set(_ open: MembershipStat, _ remaining: MembershipStat, _ count: Int, _ limit: Int?) {
                guard let limit else { return }
                slots.set(open, count >= limit ? 1 : 0)
                slots.set(remaining, max(0, limit - count))
            }
            let (quota, limits) = (breaker.quota, breaker.limits)
            set(.cxOpen, .remainingCx, quota.connections.count, limits.connections.value)
            set(.rqPendingOpen, .remainingPending, quota.pending.count, limits.pending.value)
            set(.rqOpen, .remainingRq, quota.requests.count, limits.requests.value)
            set(.rqRetryOpen, .remainingRetries, quota.retries.count, limits.retries?.value)
        }
    }

    private func gatherDraining(_ isDraining: Bool) {
        let current = isDraining ? [] : Set(names.map { StatScope.listener($0) })
        let active = ListenerStat.schema.entries[ListenerStat.cxActive.rawValue]
        let accepting = ListenerStat.schema.entries[ListenerStat.socketsAccepting.rawValue]
        let admin = StatScope.listener(ListenerPlan.adminName)
        listeners.set(
            .draining,
            registry.groups.count { group in
                group.schema === ListenerStat.schema && group.scope != admin && !current.contains(group.scope)
                    && group.value(active) > 0 && group.value(accepting) == 0
            })
    }
}
