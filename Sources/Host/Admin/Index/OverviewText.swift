/// The index page for terminals.
struct OverviewText {
    private var text = ""

    static func write(_ overview: Overview, for visitor: Visitor) -> String {
        var writer = OverviewText()
        writer.head(overview)
        for listener in overview.listeners { writer.listener(listener) }
        for cluster in overview.clusters { writer.cluster(cluster) }
        writer.rest(overview, visitor)
        return writer.text
    }

    private mutating func line(_ parts: String...) {
        text += parts.filter { !$0.isEmpty }.joined(separator: "  ") + "\n"
    }

    private mutating func head(_ overview: Overview) {
        let (mark, config) = (overview.mark, overview.config)
        line(
            "\(mark.shape) \(mark.word)", "sluice \(overview.version)",
            "up \(PlainNumber.age(overview.uptime / second))")
        let age = PlainNumber.age((overview.now - min(overview.now, config.since)) / second)
        line("config \(config.generation)", config.summary, "in use for \(age)", config.file ?? "")
        for reason in overview.unready { line("▲ \(Self.plain(reason))") }
        if let refused = config.refused {
            line("▲ config refused at \(LogTime.text(refused.time)), the one before is in use:")
            for part in refused.details.split(separator: "\n", omittingEmptySubsequences: false) {
                line("  " + Self.plain(String(part)))
            }
        }
        let totals = overview.totals
        line("")
        line(
            "\(PlainNumber.count(totals.requests)) requests",
            "good answers \(PlainNumber.good(totals.errors, of: totals.answered))", Self.times(totals.times),
            "\(PlainNumber.count(Int64(totals.connections))) connections",
            "cpu \(PlainNumber.time(Double(totals.cpu)))", "memory \(PlainNumber.bytes(totals.memory))")
    }

    private var second: UInt64 { 1_000_000_000 }

    private static func times(_ times: Latency) -> String {
        "p50 \(PlainNumber.span(times.median))  p99 \(PlainNumber.span(times.high))"
    }

    private static func filterTimes(_ times: Latency) -> String {
        "p50 \(PlainNumber.time(times.median)) p99 \(PlainNumber.time(times.high))"
    }

    private mutating func listener(_ listener: ListenerOverview) {
        line("")
        let addresses = listener.addresses.joined(separator: ", ")
        let connections = "\(PlainNumber.count(listener.openConnections)) connections"
        guard listener.isHTTP else {
            line("listener \(Self.plain(listener.name))", Self.plain(addresses), connections)
            return chains(listener)
        }
        line(
            "listener \(Self.plain(listener.name))", Self.plain(addresses),
            "\(PlainNumber.count(listener.requests)) requests",
            "good answers \(PlainNumber.good(listener.errors, of: listener.answered))", Self.times(listener.times),
            connections)
        let classes = listener.classes.enumerated().filter { $1 > 0 }.map { "\($0 + 1)xx \(PlainNumber.count($1))" }
        let others = [("without an answer", listener.unanswered), ("cut off", listener.cutOff)]
            .filter { $1 > 0 }.map { "\($0) \(PlainNumber.count($1))" }
        if !(classes + others).isEmpty { line("    " + (classes + others).joined(separator: "  ")) }
        chains(listener)
    }

    private mutating func chains(_ listener: ListenerOverview) {
        for chain in listener.chains {
            let names = chain.filters.map { Self.plain($0.name) + ($0.isPlugin ? ".so" : "") }
            let clusters = Self.plain(listener.clusters.joined(separator: ", "))
            let path = (["client"] + names + (clusters.isEmpty ? [] : [clusters])).joined(separator: " > ")
            line("    \(chain.name.isEmpty ? "" : "\(Self.plain(chain.name)): ")\(path)")
            for filter in chain.filters { self.filter(filter) }
        }
    }

    private mutating func filter(_ filter: FilterOverview) {
        var parts = filter.counters.map { "\($0.name) \(PlainNumber.count($0.value))" }
        if filter.down.count > 0 { parts.append("requests " + Self.filterTimes(filter.down)) }
        if filter.up.count > 0 { parts.append("responses " + Self.filterTimes(filter.up)) }
        if !parts.isEmpty { line("      \(Self.plain(filter.name)): \(Self.plain(parts.joined(separator: ", ")))") }
    }

    private mutating func cluster(_ cluster: ClusterOverview) {
        line("")
        line(
            "cluster \(Self.plain(cluster.name))", "\(PlainNumber.count(cluster.requests)) requests",
            "\(PlainNumber.count(cluster.errors)) errors", Self.times(cluster.times),
            cluster.retries > 0 ? "retries \(PlainNumber.count(cluster.retries))" : "")
        for limit in cluster.limits where limit.isReached {
            line("    ■ \(limit.name) reached: \(limit.count) of \(limit.most)")
        }
        if cluster.endpoints.isEmpty { line("    ✕ no endpoint is known") }
        for endpoint in cluster.endpoints {
            line(
                "    \(endpoint.health.shape) \(endpoint.health.text)", Self.plain(endpoint.address),
                "\(PlainNumber.count(endpoint.requests)) requests", "\(PlainNumber.count(endpoint.errors)) errors",
                "\(PlainNumber.count(endpoint.active)) running")
        }
    }

    private mutating func rest(_ overview: Overview, _ visitor: Visitor) {
        if !overview.faults.isEmpty { line("\nfaults by reason") }
        for fault in overview.faults {
            line("    \(PlainNumber.count(fault.count))", Self.plain(fault.reason), Self.plain(fault.meaning))
        }
        if !overview.certificates.isEmpty { line("\ncertificates") }
        for certificate in overview.certificates {
            let left = certificate.daysLeft < 0 ? "✕ expired" : "\(certificate.daysLeft) days left"
            line("    \(left)", Self.plain(certificate.path), Self.plain(certificate.subject))
        }
        line("\npages")
        for page in AdminOffice.pages where page.path != "/" {
            line("    \(visitor.command(page.path, isPost: page.isChange))", "# \(page.summary)")
        }
    }

    /// A text of somebody else's without what a terminal would obey.
    private static func plain(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : $0 }))
    }
}
