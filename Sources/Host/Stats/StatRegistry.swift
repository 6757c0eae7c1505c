internal import FilterAPI
internal import Synchronization

/// All statistics of the process.
///
/// Groups of listeners, clusters and endpoints last as long as somebody holds them; those that filters have asked for
/// are kept, as filters hold no reference to them.
final class StatRegistry: Sendable {
    private let workers: Int
    private let state = Mutex(State())

    private struct State {
        var groups: [GroupKey: Entry] = [:]
        /// With so many groups it is looked which of them have gone.
        var nextPurge = 64
        /// Schemas of filters and of single statistics, by the family and what is in it.
        var schemas: [String: StatSchema] = [:]
        /// How many series each family with labels has.
        var series: [String: Int] = [:]
    }

    private struct GroupKey: Hashable {
        let scope: StatScope
        let schema: ObjectIdentifier
    }

    private struct Entry {
        weak var group: StatGroup?
        /// Set for those that nobody else may hold.
        var kept: StatGroup?
    }

    init(workers: Int) {
        self.workers = workers
    }

    /// The slot of the control thread.
    var controlSlot: Int { workers }

    // MARK: The host's own

    /// The group of a thing, which the caller keeps as long as it writes.
    ///
    /// - Parameter writers: who writes; nil for the workers.
    func group(_ scope: StatScope, _ schema: StatSchema, by writers: StatWriters? = nil) -> StatGroup {
        let writers = writers ?? .workers(workers)
        return state.withLock { state in find(scope, schema, writers, isKept: false, &state) }
    }

    /// The same, for those that are there until the end.
    func lastingGroup(_ scope: StatScope, _ schema: StatSchema, _ writers: StatWriters? = nil) -> StatGroup {
        let writers = writers ?? .everybody(workers)
        return state.withLock { state in find(scope, schema, writers, isKept: true, &state) }
    }

    private func find(
        _ scope: StatScope, _ schema: StatSchema, _ writers: StatWriters, isKept: Bool,
        _ state: inout sending State
    ) -> StatGroup {
        let key = GroupKey(scope: scope, schema: ObjectIdentifier(schema))
        if let known = state.groups[key]?.group { return known }
        if state.groups.count >= state.nextPurge {
            state.groups = state.groups.filter { $0.value.group != nil }
            state.nextPurge = max(64, state.groups.count * 2)
        }
        let group = StatGroup(scope, schema, writers)
        state.groups[key] = Entry(group: group, kept: isKept ? group : nil)
        return group
    }

    // MARK: Single statistics

    /// A counter with a name of its own, such as one for each cause of a fault.
    func counter(_ scope: StatScope, _ entry: StatSchema.Entry, slot: Int) -> FilterAPI.Counter {
        let group = state.withLock { state in single(scope, entry, &state) }
        return unsafe FilterAPI.Counter(cell: group.words(slot: slot))
    }

    /// A gauge likewise; it is one number, whoever sets it.
    func gauge(_ scope: StatScope, _ entry: StatSchema.Entry) -> Gauge {
        let group = state.withLock { state in single(scope, entry, &state) }
        return unsafe Gauge(cell: group.words(slot: 0))
    }

    /// A group with one statistic.
    private func single(_ scope: StatScope, _ entry: StatSchema.Entry, _ state: inout sending State) -> StatGroup {
        // A gauge is one number, whoever sets it.
        let writers: StatWriters = entry.description.kind == .gauge ? .anybody : .everybody(workers)
        return find(scope, singleSchema(scope, entry, &state), writers, isKept: true, &state)
    }

    private func singleSchema(
        _ scope: StatScope, _ entry: StatSchema.Entry, _ state: inout sending State
    ) -> StatSchema {
        sharedSchema("\(scope.family)|\(entry.description.name)|\(entry.description.kind)", [entry], &state)
    }

    private func sharedSchema(_ key: String, _ entries: [StatSchema.Entry], _ state: inout sending State) -> StatSchema
    {
        if let known = state.schemas[key] { return known }
        let made = StatSchema(entries)
        state.schemas[key] = made
        return made
    }

    // MARK: Filters'

    /// Where a filter's statistic is kept.
    private struct Place {
        let group: StatGroup
        let entry: StatSchema.Entry
    }

    private func place(
        _ name: String, _ kind: StatDescription.Kind, _ stage: StageIdentity, _ labels: StatLabels?
    ) -> Place {
        let described = stage.manifest.stats.first { $0.name == name && $0.kind == kind }
        let description = described ?? StatDescription(name, kind, kind == .histogram ? .time : .none, "")
        let scope = StatScope.filter(stage)
        guard let labels else {
            return kind == .gauge || described == nil
                ? alone(scope, description) : together(scope, stage.manifest, name, kind)
        }
        return labelled(scope, description, labels)
    }

    /// Counters and histograms that the manifest names have one group together.
    private func together(
        _ scope: StatScope, _ manifest: Manifest, _ name: String, _ kind: StatDescription.Kind
    ) -> Place {
        let writers = StatWriters.everybody(workers)
        return state.withLock { state in
            let entries = manifest.stats.filter { $0.kind != .gauge }.map { StatSchema.Entry($0) }
            let schema = sharedSchema("\(scope.family)*", entries, &state)
            let group = find(scope, schema, writers, isKept: true, &state)
            // Another version of a plugin may describe what this one does not.
            guard let index = schema.index(of: name, kind) else {
                return alone(scope, StatDescription(name, kind, .none, ""), &state)
            }
            return Place(group: group, entry: schema.entries[index])
        }
    }

    private func alone(_ scope: StatScope, _ description: StatDescription) -> Place {
        state.withLock { state in alone(scope, description, &state) }
    }

    private func alone(_ scope: StatScope, _ description: StatDescription, _ state: inout sending State) -> Place {
        let group = single(scope, Self.entry(description), &state)
        return Place(group: group, entry: group.schema.entries[0])
    }

    private static func entry(_ description: StatDescription) -> StatSchema.Entry {
        StatSchema.Entry(description, isAlwaysShown: description.kind == .gauge)
    }

    private func labelled(_ scope: StatScope, _ description: StatDescription, _ labels: StatLabels) -> Place {
        state.withLock { state in
            let schema = singleSchema(scope, Self.entry(description), &state)
            // A label without a value is as if it were not there.
            let own = scope.with(labels: PrometheusLabels.text(labels.pairs.filter { !$0.value.isEmpty }))
            if state.groups[GroupKey(scope: own, schema: ObjectIdentifier(schema))]?.group != nil {
                return alone(own, description, &state)
            }
            let family = "\(scope.prefix)|\(description.name)"
            guard state.series[family, default: 0] < labels.most else {
                return alone(scope.with(labels: "otel_metric_overflow=\"true\""), description, &state)
            }
            state.series[family, default: 0] += 1
            return alone(own, description, &state)
        }
    }

    func counter(_ name: String, _ stage: StageIdentity, _ labels: StatLabels?, slot: Int) -> FilterAPI.Counter {
        let place = place(name, .counter, stage, labels)
        return unsafe FilterAPI.Counter(cell: place.group.words(slot: slot) + place.entry.position)
    }

    func gauge(_ name: String, _ stage: StageIdentity, _ labels: StatLabels?) -> Gauge {
        let place = place(name, .gauge, stage, labels)
        return unsafe Gauge(cell: place.group.words(slot: 0) + place.entry.position)
    }

    func histogram(_ name: String, _ stage: StageIdentity, _ labels: StatLabels?, slot: Int) -> Histogram {
        let place = place(name, .histogram, stage, labels)
        return place.group.histogram(place.entry, slot: slot)
    }

    // MARK: Reading

    /// All groups that are there now, in no order.
    var groups: [StatGroup] {
        state.withLock { state in state.groups.values.compactMap(\.group) }
    }

    /// What one of the host's own statistics says; 0 where there is none.
    func value<Key: StatKey>(_ key: Key, of scope: StatScope) -> Int64 {
        let groupKey = GroupKey(scope: scope, schema: ObjectIdentifier(Key.schema))
        let group = state.withLock { $0.groups[groupKey]?.group }
        return group?.value(Key.schema.entries[key.rawValue]) ?? 0
    }

    /// What a statistic says, by its full name; nil where there is none. Looks through all of them.
    func value(_ name: String) -> Int64? {
        var found: Int64?
        for group in groups where name.hasPrefix(group.scope.prefix) {
            for entry in group.schema.entries
            where entry.description.kind != .histogram && group.scope.prefix + entry.description.name == name {
                found = (found ?? 0) + group.value(entry)
            }
        }
        return found
    }
}

extension StatScope {
    /// A series with these labels besides.
    func with(labels more: String) -> StatScope {
        StatScope(
            prefix: prefix, family: family, labels: labels.isEmpty ? more : more.isEmpty ? labels : "\(labels),\(more)",
            series: more)
    }
}
