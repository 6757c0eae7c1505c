internal import Config
internal import FilterAPI

/// Gathers what the index page tells.
extension AdminOffice {
    func overview() -> Overview {
        gather()
        let reader = StatReader(registry.groups)
        var totals = HistogramTotals()
        var overview = Overview()
        overview.state = control.state
        overview.unready = control.unready
        overview.version = SluiceMain.version
        overview.uptime = process.uptime
        overview.now = control.wallClock
        overview.config = Overview.Config(
            file: control.file, generation: control.configStats.value(.generation), since: control.configTime,
            summary: control.plan?.summary ?? "", refused: control.lastRejection)
        overview.listeners = (control.plan?.listeners ?? []).filter { !$0.isAdmin }.map {
            listener($0, reader, &totals)
        }
        overview.clusters = control.clusterReports.map { cluster($0, reader, &totals) }
        overview.totals = sum(overview.listeners)
        // The most frequent first, and those that are as frequent in an order that stays.
        overview.faults = reader.faults.sorted { ($1.count, $0.reason) < ($0.count, $1.reason) }.map(explained)
        overview.certificates = control.certificates.map { certificate($0, overview.now) }
            .sorted { ($0.daysLeft, $0.path) < ($1.daysLeft, $1.path) }
        overview.filters = loadedFilters
        return overview
    }

    private func explained(_ fault: Overview.FaultCount) -> Overview.FaultCount {
        var fault = fault
        let entry = reasons.find(fault.reason)
        fault.meaning = entry?.meaning ?? ""
        fault.advice = entry?.advice ?? ""
        return fault
    }

    /// What is written up of reasons, also by plugins that the config has.
    private var reasons: ExplanationBook {
        let generation = control.configStats.value(.generation)
        if let book, book.generation == generation { return book.entries }
        var types = BuiltinFilters.types
        for listener in control.plan?.listeners ?? [] {
            for choice in listener.chains {
                for stage in choice.chain.stages where Self.isPlugin(stage.type) { types.append(stage.type) }
            }
        }
        let made = ExplanationBook(types)
        book = (generation, made)
        return made
    }

    private func sum(_ listeners: [ListenerOverview]) -> Overview.Totals {
        var sum = Overview.Totals()
        for listener in listeners {
            sum.requests += listener.requests
            sum.active += listener.active
            sum.answered += listener.answered
            sum.errors += listener.errors
        }
        sum.times = Latency.sum(listeners.map(\.times))
        sum.connections = control.connectionCount
        sum.cpu = process.cpuTime
        sum.memory = process.residentMemory
        return sum
    }

    // MARK: Listeners

    private func listener(
        _ plan: ListenerPlan, _ reader: StatReader, _ totals: inout HistogramTotals
    ) -> ListenerOverview {
        let bound = control.boundAddresses.filter { $0.listener == plan.name }.map(\.address)
        var found = ListenerOverview(
            name: plan.name, addresses: bound, isHTTP: plan.chains.contains { $0.chain.isHTTP })
        found.clusters = plan.clusters
        for (index, choice) in plan.chains.enumerated() {
            // Where there is little room each says less.
            let most = choice.chain.stages.count > 16 ? 3 : 6
            let name = plan.chains.count == 1 ? "" : choice.node["name"]?.text ?? "chain \(index + 1)"
            var filters: [FilterOverview] = []
            for stage in choice.chain.stages {
                filters.append(filter(stage, of: plan.name, reader, &totals, most: most))
            }
            found.chains.append(.init(name: name, filters: filters))
        }
        let (listener, http) = (StatScope.listener(plan.name), StatScope.http(plan.name))
        found.openConnections = reader.value(listener, "downstream_cx_active")
        found.connections = reader.value(listener, "downstream_cx_total")
        found.requests = reader.value(http, "downstream_rq_total")
        found.active = reader.value(http, "downstream_rq_active")
        found.classes = (1...5).map { reader.value(http, "downstream_rq_\($0)xx") }
        found.unanswered = reader.value(http, "downstream_rq_no_response")
        found.cutOff = reader.value(http, "downstream_rq_tx_reset")
        found.times = reader.latency(http, "downstream_rq_time", &totals)
        return found
    }

    private func filter(
        _ stage: StagePlan, of owner: String, _ reader: StatReader, _ totals: inout HistogramTotals, most: Int
    ) -> FilterOverview {
        func identify<F: Filter>(_ type: F.Type) -> StageIdentity {
            StageIdentity(type, stage: stage.name, owner: owner, side: .client)
        }
        let identity = identify(stage.type)
        let scope = StatScope.stage(identity)
        var found = FilterOverview(
            name: stage.name, id: identity.manifest.id, summary: identity.manifest.summary,
            isPlugin: Self.isPlugin(stage.type))
        // How long certificates last has a place of its own on the page.
        found.counters = Array(
            reader.numbers(scope).filter { !$0.name.hasPrefix("certificate_seconds_left") }.prefix(most))
        found.down = reader.latency(scope, "request_time", &totals)
        found.up = reader.latency(scope, "response_time", &totals)
        return found
    }

    private static func isPlugin(_ type: any Filter.Type) -> Bool {
        !BuiltinFilters.types.contains { $0 == type } && !DemoConfig.types.contains { $0 == type }
    }

    private var loadedFilters: [Overview.LoadedFilter] {
        var found: [String: Overview.LoadedFilter] = [:]
        for listener in control.plan?.listeners ?? [] where !listener.isAdmin {
            for choice in listener.chains { note(choice.chain, &found) }
        }
        for cluster in control.plan?.clusters ?? [] { note(cluster.chain, &found) }
        return found.values.sorted { ($0.id, $0.summary) < ($1.id, $1.summary) }
    }

    private func note(_ chain: ChainPlan, _ found: inout [String: Overview.LoadedFilter]) {
        for stage in chain.stages {
            let manifest = stage.type.manifest
            // The codecs of both sides have one name.
            found[manifest.id + manifest.summary] = .init(
                id: manifest.id, summary: manifest.summary, isPlugin: Self.isPlugin(stage.type))
        }
    }

    // MARK: Clusters

    private func cluster(
        _ report: ClusterReport, _ reader: StatReader, _ totals: inout HistogramTotals
    ) -> ClusterOverview {
        let scope = StatScope.cluster(report.name)
        func value(_ name: String) -> Int64 { reader.value(scope, "upstream_\(name)") }
        var found = ClusterOverview(name: report.name)
        found.requests = value("rq_total")
        found.active = value("rq_active")
        found.waiting = value("rq_pending_active")
        found.answered = value("rq_completed")
        found.errors = value("rq_5xx") + value("rq_rx_reset") + value("rq_timeout") + value("rq_pending_failure_eject")
        found.retries = value("rq_retry")
        found.times = reader.latency(scope, "upstream_rq_time", &totals)
        for (limit, count) in zip(report.limits, report.counts) where limit.value > 0 {
            found.limits.append(.init(name: limit.key, count: count, most: limit.value))
        }
        found.endpoints = report.endpoints.map(endpoint)
        return found
    }

    private func endpoint(_ report: ClusterReport.EndpointReport) -> ClusterOverview.Endpoint {
        func value(_ key: String) -> Int64 { report.statistics.first { $0.key == key }?.value ?? 0 }
        return .init(
            address: report.address, host: report.host, health: .init(report.status), requests: value("rq_total"),
            errors: value("rq_error") + value("cx_connect_fail"), active: value("rq_active"),
            connections: value("cx_active"), connectFailures: value("cx_connect_fail"))
    }

    private func certificate(_ summary: CertificateSummary, _ now: UInt64) -> Overview.Certificate {
        let left = summary.notAfter - Int64(now / 1_000_000_000)
        return .init(
            path: summary.path, subject: summary.subject, names: summary.names, isAuthority: summary.isAuthority,
            daysLeft: left < 0 ? -1 : Int(left / 86_400))
    }
}
