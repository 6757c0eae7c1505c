internal import Config
internal import Engine
internal import FilterAPI
internal import Filters

/// Turns a file into a plan, or into everything that is wrong with it.
struct ConfigLoader {
    var registry: FilterRegistry
    let diagnostics: Diagnostics
    private let decoder = SettingsDecoder()
    private var clusterUses: [ClusterReference] = []
    /// At the top of the file, for listeners that have none of their own.
    private var usualAccessLogs: [AccessLogPlan] = []
    private var usualAccessLogNode: Node?
    private var logReader: AccessLogReader

    init(registry: FilterRegistry, diagnostics: Diagnostics) {
        self.registry = registry
        self.diagnostics = diagnostics
        logReader = AccessLogReader(diagnostics: diagnostics)
    }

    /// Reads a file.
    ///
    /// - Returns: nil where there are errors, all of which are in the diagnostics.
    mutating func load(_ path: String) -> GenerationPlan? {
        guard let document = Document.read(path, into: diagnostics) else { return nil }
        return load(document, base: path)
    }

    /// Reads a text, for commands that need no file.
    mutating func load(text: String) -> GenerationPlan? {
        guard let document = Document.parse(Array(text.utf8), name: diagnostics.file, into: diagnostics) else {
            return nil
        }
        return load(document, base: diagnostics.file)
    }

    private mutating func load(_ document: Document, base: String) -> GenerationPlan? {
        guard let top = decoder.decode(TopSettings.self, from: document.root, into: diagnostics) else {
            // Its own keys are wrong; listeners and clusters are looked at all the same, to report all in one run.
            logReader.checkFormats(document.root["access_log"])
            logReader.usualIsBroken = true
            _ = listeners(document.root["listeners"])
            _ = clusters(document.root["clusters"])
            return nil
        }
        let plugins = PluginLoader(diagnostics: diagnostics, base: base)
            .load(top.value.plugins, document.root["plugins"], into: &registry)
        logReader.reasons = ReasonNames(registry)
        usualAccessLogNode = document.root["access_log"]
        usualAccessLogs = logReader.plans(top.value.accessLog, usualAccessLogNode)
        var listeners = listeners(document.root["listeners"])
        if let admin = top.value.admin, let node = document.root["admin"] {
            if let plan = self.admin(admin, node, beside: listeners) { listeners.append(plan) }
        }
        let outlive = outlive(document.root["outlive"], listeners)
        checkDelays(listeners, top.value.drainTimeout)
        let clusters = clusters(document.root["clusters"])
        checkReferences(Set(document.root["clusters"]?.mapping?.entries.map(\.key) ?? []))
        checkConnections(clusters)
        warnUnused(clusters)
        guard !diagnostics.hasErrors else { return nil }
        return GenerationPlan(
            settings: top.value, listeners: listeners, clusters: clusters, root: document.root,
            plugins: plugins, outlive: outlive)
    }

    // MARK: Listeners

    private mutating func listeners(_ node: Node?) -> [ListenerPlan] {
        guard let node, let mapping = node.mapping, !mapping.entries.isEmpty else {
            if let node, !node.isNull, node.mapping == nil {
                diagnostics.error(.wrongType, "expected a mapping of names to listeners", at: node.place)
            } else {
                diagnostics.error(
                    .noListeners, "there is no listener", at: node?.place, hint: "add one under `listeners:`")
            }
            return []
        }
        var plans: [ListenerPlan] = []
        var bound: [SocketAddress: (name: String, place: Place)] = [:]
        for entry in mapping.entries {
            if let plan = listener(entry.key, entry.value, &bound) { plans.append(plan) }
        }
        return plans
    }

    private mutating func listener(
        _ name: String, _ node: Node, _ bound: inout [SocketAddress: (name: String, place: Place)]
    ) -> ListenerPlan? {
        let decoded = decoder.decode(ListenerSettings.self, from: node, into: diagnostics)
        var reader = ChainsReader(registry: registry, decoder: decoder, diagnostics: diagnostics)
        let chains = node.mapping == nil ? nil : reader.chains(of: node)
        clusterUses += reader.clusterUses
        let addresses = addresses(node["bind"])
        for (address, place) in addresses {
            guard address.port != 0 else { continue }
            if let other = bound[address] {
                diagnostics.error(
                    .addressInUse, "`\(address)` is bound by the listener `\(other.name)` already", at: place,
                    related: [Diagnostic.Related("bound here first", at: other.place)])
            }
            bound[address] = (name, place)
        }
        guard let settings = decoded?.value else {
            logReader.checkFormats(node["access_log"])
            return nil
        }
        let logs = logReader.plans(settings.accessLog, node["access_log"], usual: usualAccessLogs)
        guard let chains else { return nil }
        var named: [String] = []
        for use in reader.clusterUses where !named.contains(use.cluster) { named.append(use.cluster) }
        return ListenerPlan(
            name: name, settings: settings, addresses: addresses.map(\.0), chains: chains,
            accessLogs: logs,
            usualAccessLogNode: AccessLogReader.takesUsual(node["access_log"]) ? usualAccessLogNode : nil, node: node,
            clusters: named)
    }

    /// The admin interface is a listener like any other, with a chain of two.
    private mutating func admin(
        _ settings: AdminSettings, _ node: Node, beside others: [ListenerPlan]
    ) -> ListenerPlan? {
        let addresses = addresses(node["bind"] ?? node)
        for (address, place) in addresses where address.port != 0 {
            guard let other = others.first(where: { $0.addresses.contains(address) }) else { continue }
            diagnostics.error(
                .addressInUse, "`\(address)` is bound by the listener `\(other.name)` already", at: place)
        }
        if let other = others.first(where: { $0.name == ListenerPlan.adminName }) {
            diagnostics.error(
                .addressInUse, "the admin interface is a listener called `\(other.name)`; give this one another name",
                at: other.node.headPlace)
            return nil
        }
        var own = Admin.Settings()
        own.token = settings.token
        own.hosts = settings.hosts
        var codec = HTTPServerCodec.Settings()
        codec.idleTimeout = .seconds(300)
        let chain = ChainPlan(stages: [
            StagePlan(name: "http", type: HTTPServerCodec.self, settings: codec),
            StagePlan(name: "admin", type: Admin.self, settings: own),
        ])
        var listener = ListenerSettings()
        listener.bind = settings.bind
        listener.maxConnections = 100
        return ListenerPlan(
            name: ListenerPlan.adminName, settings: listener, addresses: addresses.map(\.0),
            chains: [ChainChoicePlan(match: nil, chain: chain, node: node)],
            accessLogs: logReader.plans(settings.accessLog, node["access_log"]), usualAccessLogNode: nil, node: node,
            isAdmin: true)
    }

    func addresses(_ node: Node?) -> [(SocketAddress, Place)] {
        guard let node else { return [] }
        var found: [(SocketAddress, Place)] = []
        for element in node.elements ?? [node] {
            guard let text = element.text else { continue }
            do throws(AddressError) {
                found.append((try SocketAddress.parse(text), element.place))
            } catch {
                diagnostics.error(
                    .badAddress, error.message, at: element.place,
                    hint: "for example `127.0.0.1:8080`, `[::1]:8080`, `:8080` or `unix:/run/sluice.sock`")
            }
        }
        return found
    }

    // MARK: Clusters

    private mutating func clusters(_ node: Node?) -> [ClusterPlan] {
        guard let node, !node.isNull else { return [] }
        guard let mapping = node.mapping else {
            diagnostics.error(.wrongType, "expected a mapping of names to clusters", at: node.place)
            return []
        }
        return mapping.entries.compactMap { cluster($0.key, $0.value) }
    }

    private mutating func cluster(_ name: String, _ node: Node) -> ClusterPlan? {
        let decoded = decoder.decode(ClusterSettings.self, from: node, into: diagnostics)
        clusterUses += decoded?.clusterUses ?? []
        var check = ChainCheck(registry: registry, decoder: decoder, diagnostics: diagnostics, isCluster: true)
        guard node.mapping != nil, let chain = check.chain(node["chain"], of: node) else { return nil }
        let http = decoder.decode(HTTPClientCodec.Settings.self, from: node["http"], into: diagnostics)
        guard let settings = decoded?.value, let http else { return nil }
        var stages = chain.stages
        if stages.first?.role != .clientCodec {
            // A cluster speaks HTTP/1 unless its chain says otherwise.
            stages.insert(StagePlan(name: "http", type: HTTPClientCodec.self, settings: http.value), at: 0)
        }
        checkProtocol(of: settings.healthChecks, node, stages)
        let spot = ConfigSpot(place: node.headPlace, node: node)
        let limits = ClusterLimits(settings, cluster: name, spot: spot, file: diagnostics.file)
        return ClusterPlan(
            name: name, settings: settings, chain: ChainPlan(stages: stages), limits: limits, node: node)
    }

    /// gRPC is spoken over HTTP/2.
    private func checkProtocol(of checks: [HealthCheckSettings], _ node: Node, _ stages: [StagePlan]) {
        let protocols = ChainPlan(stages: stages).applicationProtocols
        // Where there is a choice, TLS makes it, which is one of the byte filters.
        let canAgree = protocols.count == 1 || stages.contains { $0.role == .byteFilter }
        guard !canAgree || !protocols.contains("h2") else { return }
        let nodes = node["health_checks"].map { $0.elements ?? [$0] } ?? []
        for (check, node) in zip(checks, nodes) where check.grpc != nil {
            diagnostics.error(
                .refusedValue, "a health check by gRPC needs HTTP/2, which the cluster does not speak",
                at: (node["grpc"] ?? node).headPlace,
                hint: "set `http: { protocol: http2 }` for the cluster, which its requests need too if they are calls")
        }
    }

    private func checkReferences(_ names: Set<String>) {
        for use in clusterUses where !names.contains(use.cluster) {
            diagnostics.error(
                .unknownCluster, "there is no cluster `\(use.cluster)`", at: use.place,
                hint: nearest(use.cluster, Array(names)).map { "did you mean `\($0)`?" }, accepted: names.sorted())
        }
    }

    /// A connection that carries requests of several clients belongs to none of them.
    private func checkConnections(_ clusters: [ClusterPlan]) {
        for cluster in clusters {
            let found = cluster.chain.stages.first { $0.type.manifest.needs.contains(Manifest.clientConnection) }
            guard let stage = found else { continue }
            for use in clusterUses where use.cluster == cluster.name && !use.isForConnections {
                diagnostics.error(
                    .badChain,
                    "the cluster `\(cluster.name)` cannot carry requests: `\(stage.name)` in its chain says whose each "
                        + "connection is, and requests of several clients share one",
                    at: use.place, hint: "name a cluster without `\(stage.name)` here, or use it by `tcp_proxy`",
                    related: stage.spot.map { [Diagnostic.Related("it stands here", at: $0.place)] } ?? [])
            }
        }
    }

    private func warnUnused(_ clusters: [ClusterPlan]) {
        let used = Set(clusterUses.map(\.cluster))
        for cluster in clusters where !used.contains(cluster.name) {
            diagnostics.warning(
                .unusedCluster, "nothing uses the cluster `\(cluster.name)`", at: cluster.node.headPlace)
        }
    }
}
