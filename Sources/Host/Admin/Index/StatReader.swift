internal import FilterAPI

/// Looks statistics up by their names, for whoever wants many of them.
struct StatReader {
    private var groups: [String: [StatGroup]] = [:]

    init(_ groups: [StatGroup]) {
        for group in groups { self.groups[group.scope.prefix, default: []].append(group) }
    }

    /// A counter or gauge; 0 where there is none.
    func value(_ scope: StatScope, _ name: String) -> Int64 {
        for group in groups[scope.prefix] ?? [] {
            for entry in group.schema.entries where entry.description.name == name {
                if entry.description.kind != .histogram { return group.value(entry) }
            }
        }
        return 0
    }

    /// A histogram.
    func latency(_ scope: StatScope, _ name: String, _ totals: inout HistogramTotals) -> Latency {
        for group in groups[scope.prefix] ?? [] {
            for entry in group.schema.entries where entry.description.name == name {
                guard entry.description.kind == .histogram else { continue }
                group.read(entry, into: &totals)
                return totals.count > 0 ? Latency(totals) : Latency()
            }
        }
        return Latency()
    }

    /// The counters and gauges of a scope that are not 0.
    func numbers(_ scope: StatScope) -> [FilterOverview.OwnNumber] {
        var found: [String: FilterOverview.OwnNumber] = [:]
        for group in groups[scope.prefix] ?? [] {
            for entry in group.schema.entries where entry.description.kind != .histogram {
                let (name, value) = (entry.description.name, group.value(entry))
                let sum = value + (found[name]?.value ?? 0)
                if sum != 0 {
                    found[name] = .init(name: name, value: sum, isGauge: entry.description.kind == .gauge)
                }
            }
        }
        return found.values.sorted { $0.name < $1.name }
    }

    /// Faults by their reason.
    var faults: [Overview.FaultCount] {
        groups.compactMap { prefix, groups in
            guard prefix.hasPrefix("fault.") else { return nil }
            let count = groups.reduce(0) { sum, group in
                group.schema.entries.reduce(sum) { $0 + ($1.description.name.isEmpty ? group.value($1) : 0) }
            }
            return count > 0 ? Overview.FaultCount(reason: String(prefix.dropFirst(6)), count: count) : nil
        }
    }
}
