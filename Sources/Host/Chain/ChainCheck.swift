internal import Config
internal import FilterAPI

/// Reads a chain from the config, and sees to it that its filters fit together.
///
/// What flows starts as bytes and changes at the codec; each stage must take what flows; exactly one terminal ends it.
struct ChainCheck {
    let registry: FilterRegistry
    let decoder: SettingsDecoder
    let diagnostics: Diagnostics
    let isCluster: Bool
    private(set) var clusterUses: [ClusterReference] = []

    init(registry: FilterRegistry, decoder: SettingsDecoder, diagnostics: Diagnostics, isCluster: Bool) {
        self.registry = registry
        self.decoder = decoder
        self.diagnostics = diagnostics
        self.isCluster = isCluster
    }

    /// One entry with its place.
    private struct Entry {
        let plan: StagePlan
        let place: Place
    }

    /// Reads a list of filters.
    ///
    /// - Returns: nil where errors were reported.
    mutating func chain(_ node: Node?, of owner: Node) -> ChainPlan? {
        guard let node, !node.isNull else {
            if isCluster { return ChainPlan(stages: []) }
            diagnostics.error(
                .missingKey, "a listener needs a `chain`", at: owner.headPlace,
                hint: "for example `chain: [ http, router: { to: app } ]`")
            return nil
        }
        guard let elements = node.elements else {
            diagnostics.error(.wrongType, "expected a list of filters, found \(node.summary)", at: node.place)
            return nil
        }
        let entries = elements.map { entry($0) }
        let good = entries.compactMap { $0 }
        guard good.count == entries.count else { return nil }
        guard checkNames(good), isCluster ? checkCluster(good) : checkListener(good, node) else { return nil }
        return ChainPlan(stages: good.map(\.plan), name: owner["name"]?.text ?? "")
    }

    // MARK: One entry

    private mutating func entry(_ node: Node) -> Entry? {
        if let id = node.text { return make(id, name: id, settings: nil, at: node.place) }
        guard let mapping = node.mapping else {
            diagnostics.error(
                .wrongType, "expected a filter, found \(node.summary)", at: node.place,
                hint: "write `- \(registry.names(isCluster: isCluster).first ?? "http")` or `- name: { settings }`")
            return nil
        }
        let filters = mapping.entries.filter { $0.key != "name" }
        guard let first = filters.first else {
            diagnostics.error(.missingKey, "this entry names no filter", at: node.place)
            return nil
        }
        if filters.count > 1 {
            diagnostics.error(
                .badChain, "two filters in one entry: `\(first.key)` and `\(filters[1].key)`",
                at: Place(range: filters[1].keyRange, path: node.trail.key(filters[1].key)),
                hint: "begin each filter with `-` on a line of its own")
            return nil
        }
        let name = mapping["name"]?.text ?? first.key
        let place = Place(range: first.keyRange, path: node.trail.key(first.key))
        return make(first.key, name: name, settings: first.value, at: place)
    }

    private mutating func make(_ id: String, name: String, settings: Node?, at place: Place) -> Entry? {
        guard let type = registry.find(id, isCluster: isCluster) else {
            let names = registry.names(isCluster: isCluster)
            diagnostics.error(
                .unknownFilter, "unknown filter `\(id)`", at: place,
                hint: nearest(id, names).map { "did you mean `\($0)`?" }, accepted: names)
            return nil
        }
        guard let value = decode(type, settings, at: place) else { return nil }
        let spot = ConfigSpot(place: place, node: settings)
        let plan = StagePlan(
            name: name, type: type, settings: value, plugin: registry.module(of: type), spot: spot)
        return Entry(plan: plan, place: place)
    }

    private mutating func decode(_ type: any Filter.Type, _ node: Node?, at place: Place) -> (any FilterSettings)? {
        func open<F: Filter>(_ type: F.Type) -> (any FilterSettings)? {
            let node = node.flatMap { $0.isNull ? nil : $0 }
            guard
                let decoded = decoder.decode(
                    F.Settings.self, from: node, at: place, side: isCluster ? .upstream : .client, into: diagnostics)
            else {
                return nil
            }
            let isForConnections = Role(of: type) == .byteTerminal
            for var use in decoded.clusterUses {
                use.isForConnections = isForConnections
                clusterUses.append(use)
            }
            return decoded.value
        }
        return open(type)
    }

    // MARK: The whole

    private func checkNames(_ entries: [Entry]) -> Bool {
        var places: [String: Place] = [:]
        var isGood = true
        for entry in entries {
            if let first = places[entry.plan.name] {
                diagnostics.error(
                    .badChain, "two filters of this chain are called `\(entry.plan.name)`", at: entry.place,
                    hint: "give one of them another name: `- { \(entry.plan.type.manifest.id): {}, name: other }`",
                    related: [Diagnostic.Related("the first one", at: first)])
                isGood = false
            } else {
                places[entry.plan.name] = entry.place
            }
        }
        return isGood
    }

    private func checkListener(_ entries: [Entry], _ node: Node) -> Bool {
        var flows = "bytes"
        var above = "the socket"
        var offers: Set<String> = []
        for (index, entry) in entries.enumerated() {
            let name = "`\(entry.plan.name)`"
            let isLast = index == entries.count - 1
            switch entry.plan.role {
            case .byteFilter where flows == "bytes": break
            case .serverCodec where flows == "bytes": flows = "HTTP"
            case .httpFilter where flows == "HTTP": break
            case .httpTerminal where flows == "HTTP", .byteTerminal where flows == "bytes":
                if !isLast { return afterTerminal(entry, entries[index + 1]) }
            case .httpFilter, .httpTerminal:
                return report(entry, "\(name) needs HTTP, but \(above) gives it bytes", "put `http` above it")
            case .byteFilter, .byteTerminal, .serverCodec:
                return report(
                    entry, "\(name) needs bytes, but \(above) gives it HTTP", "put it above the `http` codec")
            case .clientCodec, .none:
                return report(
                    entry, "\(name) is \(entry.plan.role.text), which cannot stand in a listener's chain", nil)
            }
            let needs = entry.plan.type.manifest.needs.filter { $0 != Manifest.clientConnection }
            for need in needs where !offers.contains(need) {
                return report(entry, "\(name) needs `\(need)`, which no filter above it offers", nil)
            }
            offers.formUnion(entry.plan.type.manifest.offers)
            above = name
        }
        return checkEnd(entries, node, flows: flows)
    }

    private func checkEnd(_ entries: [Entry], _ node: Node, flows: String) -> Bool {
        guard let last = entries.last else {
            diagnostics.error(
                .badChain, "this chain is empty", at: node.place, hint: "for example `[ http, router: { to: app } ]`")
            return false
        }
        if last.plan.role != .httpTerminal && last.plan.role != .byteTerminal {
            let name = flows == "HTTP" ? "router" : "tcp_proxy"
            return report(
                last, "this chain has no end: `\(last.plan.name)` is \(last.plan.role.text), and nothing follows it",
                "end it with `\(name)`")
        }
        return checkCount(entries)
    }

    private func checkCount(_ entries: [Entry]) -> Bool {
        guard let last = entries.last, entries.count > 64 else { return true }
        return report(last, "this chain has \(entries.count) filters; 64 are the most", nil)
    }

    private func afterTerminal(_ entry: Entry, _ next: Entry) -> Bool {
        report(
            next, "`\(next.plan.name)` would never be reached: `\(entry.plan.name)` above it ends the chain",
            "move it above `\(entry.plan.name)`")
    }

    private func checkCluster(_ entries: [Entry]) -> Bool {
        for (index, entry) in entries.enumerated() {
            switch entry.plan.role {
            case .byteFilter: break
            case .clientCodec where index == 0: break
            case .clientCodec:
                return report(entry, "the codec `\(entry.plan.name)` must be the first of a cluster's chain", nil)
            default:
                return report(
                    entry, "`\(entry.plan.name)` is \(entry.plan.role.text), which cannot stand in a cluster's chain",
                    "byte filters can")
            }
        }
        return checkCount(entries)
    }

    private func report(_ entry: Entry, _ message: String, _ hint: String?) -> Bool {
        diagnostics.error(.badChain, message, at: entry.place, hint: hint)
        return false
    }
}
