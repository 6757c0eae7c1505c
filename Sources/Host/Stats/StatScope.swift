internal import FilterAPI
internal import Filters

/// What statistics are kept of: the process, one listener, one cluster, one filter of a chain.
///
/// Says how their names begin: `cluster.app.` in the words of Envoy's users, `sluice_cluster_` with the label
/// `cluster="app"` in Prometheus.
struct StatScope: Sendable, Hashable {
    /// How names begin.
    let prefix: String
    /// How names in Prometheus begin.
    let family: String
    /// Labels as they stand between the braces; empty for none.
    let labels: String
    /// Those of them that tell one series of a family from the others.
    let series: String

    private init(_ prefix: String, _ family: String, _ labels: [(name: String, value: String)] = []) {
        self.init(prefix: prefix, family: family, labels: PrometheusLabels.text(labels))
    }

    init(prefix: String, family: String, labels: String, series: String = "") {
        self.series = series
        self.prefix = prefix
        self.family = family
        self.labels = labels
    }

    static let server = StatScope("server.", "sluice_")
    static let build = StatScope(
        "server.", "sluice_",
        [("version", SluiceMain.version), ("filter_api", String(PluginAPI.version))])
    static let process = StatScope("process.", "process_")
    static let config = StatScope("config.", "sluice_config_")
    static let listenerManager = StatScope("listener_manager.", "sluice_listener_manager_")
    static let clusterManager = StatScope("cluster_manager.", "sluice_cluster_manager_")
    static let dns = StatScope("dns.", "sluice_dns_")

    static func worker(_ index: Int) -> StatScope {
        StatScope("server.worker_\(index).", "sluice_worker_", [("worker", String(index))])
    }

    static func listener(_ name: String) -> StatScope {
        StatScope("listener.\(name).", "sluice_listener_", [("listener", name)])
    }

    /// HTTP of one listener.
    static func http(_ listener: String) -> StatScope {
        StatScope("http.\(listener).", "sluice_http_", [("listener", listener)])
    }

    static func cluster(_ name: String) -> StatScope {
        StatScope("cluster.\(name).", "sluice_cluster_", [("cluster", name)])
    }

    static func endpoint(_ address: String, of cluster: String) -> StatScope {
        StatScope(
            "cluster.\(cluster).endpoint.\(address).", "sluice_endpoint_",
            [("cluster", cluster), ("endpoint", address)])
    }

    /// A part of what belongs to a listener or a cluster: `cluster.app.health_check.`
    func part(_ name: String) -> StatScope {
        StatScope(prefix: "\(prefix)\(name).", family: "\(family)\(name)_", labels: labels)
    }

    static func plugin(_ name: String) -> StatScope {
        StatScope("plugin.\(name).", "sluice_plugin_", [("plugin", name)])
    }

    /// A cause of faults.
    static func fault(_ reason: String) -> StatScope { StatScope("fault.\(reason)", "sluice_", [("reason", reason)]) }

    /// The statistics that a filter asks for by itself.
    static func filter(_ stage: StageIdentity) -> StatScope {
        StatScope(
            prefix: "\(prefix(of: stage)).", family: "sluice_\(PrometheusLabels.word(stage.manifest.id))_",
            labels: PrometheusLabels.text(labels(of: stage)))
    }

    /// What the host sees of one stage of a chain.
    static func stage(_ stage: StageIdentity) -> StatScope {
        StatScope("\(prefix(of: stage)).", "sluice_filter_", labels(of: stage))
    }

    private static func prefix(of stage: StageIdentity) -> String {
        switch stage.side {
        case .client: "\(stage.isHTTP ? "http" : "listener").\(stage.owner).\(stage.stage)"
        case .upstream: "cluster.\(stage.owner).\(stage.stage)"
        }
    }

    private static func labels(of stage: StageIdentity) -> [(name: String, value: String)] {
        [(stage.side == .client ? "listener" : "cluster", stage.owner), ("filter", stage.stage)]
    }
}

/// Labels as Prometheus' text format writes them.
enum PrometheusLabels {
    /// `a="1",b="2"`, with what must not stand in quotes escaped.
    static func text(_ labels: [(name: String, value: String)]) -> String {
        labels.map { "\(word($0.name))=\"\(escaped($0.value))\"" }.joined(separator: ",")
    }

    static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// A name with what may not stand in one replaced.
    static func word(_ name: String) -> String {
        var word = ""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_": word.unicodeScalars.append(scalar)
            default: word += "_"
            }
        }
        return word
    }
}
