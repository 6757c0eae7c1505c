internal import FilterAPI

/// All statistics that the host and the built-in filters keep, for the reference.
struct StatCatalog {
    /// One kind of thing of which statistics are kept.
    struct Section {
        let title: String
        /// How names begin, with words in capitals for what differs.
        let prefix: String
        /// How names in Prometheus begin.
        let family: String
        /// Labels that tell one such thing from another.
        let labels: [String]
        let entries: [StatSchema.Entry]
        /// What is to be said of all of them.
        var note = ""
    }

    static var sections: [Section] { host + filters }

    private static var host: [Section] {
        func section(
            _ title: String, _ scope: StatScope, _ entries: [StatSchema.Entry], _ labels: [String] = [],
            note: String = ""
        ) -> Section {
            Section(
                title: title, prefix: scope.prefix, family: scope.family, labels: labels, entries: entries, note: note)
        }
        let listener = StatScope.listener("LISTENER")
        let cluster = StatScope.cluster("CLUSTER")
        return [
            section("The process", .server, ServerStat.entries + WatchdogStat.entries + [BuildStat.entry]),
            section("The process, as the system sees it", .process, ProcessStat.entries),
            section("Configs", .config, ConfigStat.entries),
            section("Listeners over reloads", .listenerManager, ListenerManagerStat.entries),
            section("Clusters over reloads", .clusterManager, ClusterManagerStat.entries),
            section("Lookups of names", .dns, DNSStat.entries),
            section("Workers", .worker(0), WorkerStat.entries, ["worker"], note: "One of each for every worker."),
            section("Listeners", listener, ListenerStat.entries, ["listener"]),
            section(
                "TLS of listeners", listener.part("ssl"), tls, ["listener"], note: "There from the first handshake on."),
            section("HTTP of listeners", .http("LISTENER"), HTTPStat.entries, ["listener"]),
            section("Clusters", cluster, ClusterStat.entries + [ClusterStat.anyCode], ["cluster"]),
            section("Endpoints of clusters, all together, and limits", cluster, MembershipStat.entries, ["cluster"]),
            section(
                "Health checks", cluster.part("health_check"), HealthStat.entries, ["cluster"],
                note: "For clusters that have some."),
            section(
                "Outlier detection", cluster.part("outlier_detection"), OutlierStat.entries + [OutlierStat.active],
                ["cluster"], note: "There from the first time on."),
            section(
                "TLS of clusters", cluster.part("ssl"), tls, ["cluster"], note: "There from the first handshake on."),
            section(
                "gRPC of clusters", cluster.part("grpc"), GRPCStat.entries, ["cluster"],
                note: "There from the first answer to a gRPC call on; calls without one are in `upstream_rq_…` only."),
            section("Endpoints", .endpoint("ADDRESS", of: "CLUSTER"), EndpointStat.entries, ["cluster", "endpoint"]),
            section(
                "Plugins", .plugin("PLUGIN"), PluginStat.entries, ["plugin"], note: "There from the first fault on."),
            section("Faults", .fault("REASON"), [FaultStat.entry], ["reason"]),
            Section(
                title: "Time in filters", prefix: "http.LISTENER.FILTER.", family: "sluice_filter_",
                labels: ["listener", "filter"], entries: FilterTimeStat.schema.entries,
                note:
                    "For listeners with `filter_times: true`. Of byte filters each call is one value, and names begin with "
                    + "`listener.`; of HTTP filters each request is one."),
        ]
    }

    private static var tls: [StatSchema.Entry] { TLSStat.entries + [TLSStat.cipher("SUITE")] }

    private static var filters: [Section] {
        BuiltinFilters.types.filter { !$0.manifest.stats.isEmpty }.map { type in
            func open<F: Filter>(_ type: F.Type) -> Section {
                let identity = StageIdentity(type, stage: "FILTER", owner: "LISTENER", side: .client)
                let scope = StatScope.filter(identity)
                return Section(
                    title: "`\(F.manifest.id)`", prefix: scope.prefix, family: scope.family,
                    labels: ["listener", "filter"], entries: F.manifest.stats.map { StatSchema.Entry($0) })
            }
            return open(type)
        }
    }

    // MARK: Texts

    /// One line for each.
    static var text: String {
        var text = ""
        for section in sections {
            for entry in section.entries {
                text += "\(section.prefix)\(entry.description.name)  \(entry.description.kind.rawValue)  "
                text += "\(entry.description.meaning)\n"
            }
        }
        return text
    }

    /// The reference page.
    static var markdown: String {
        var text = """
            # Statistics

            Everything that Sluice counts, by the names that `/stats` of the [admin interface](admin.md) shows and that Envoy's
            users know, and by those in Prometheus. This page is written by `sluice stats --format markdown`.

            `LISTENER`, `CLUSTER` and `FILTER` stand for the names of the config file. A filter's own names begin with
            `http.LISTENER.FILTER.` for HTTP filters, `listener.LISTENER.FILTER.` for byte filters of a listener and
            `cluster.CLUSTER.FILTER.` for those of a cluster; in Prometheus the cluster's have the label `cluster` in place of
            `listener`.

            - Counters and histograms are there from their first value on, so that what nobody uses costs no series. Those
              marked with * are there from the start.
            - In Prometheus times are in seconds and sizes in bytes; in `/stats` times are in milliseconds.
            - Counters are kept for each worker and summed when they are read; a value that is read while requests run may be
              one request behind another.
            - Histograms are exact at the bounds that Prometheus is shown, and within a tenth of the value between them.


            """
        for section in sections { text += markdown(of: section) }
        return text
    }

    private static func markdown(of section: Section) -> String {
        var text = "## \(section.title)\n\n`\(section.prefix)…`"
        if !section.labels.isEmpty { text += ", labels \(section.labels.map { "`\($0)`" }.joined(separator: ", "))" }
        text += ".\(section.note.isEmpty ? "" : " \(section.note)")\n\n"
        text += "| name | kind | in Prometheus | meaning |\n|---|---|---|---|\n"
        for entry in section.entries {
            let description = entry.description
            let whole =
                entry.prometheus.hasPrefix("=")
                ? String(entry.prometheus.dropFirst()) : section.family + entry.prometheus
            let label = entry.label.isEmpty ? "" : "{\(entry.label)}"
            let exposed = entry.prometheus.isEmpty ? "–" : "`\(whole)\(label)`"
            let name = description.name.isEmpty ? "REASON" : description.name
            text += "| `\(name)` | \(description.kind.rawValue)\(entry.isAlwaysShown ? " *" : "") | \(exposed) "
            text += "| \(description.meaning) |\n"
        }
        return text + "\n"
    }
}
