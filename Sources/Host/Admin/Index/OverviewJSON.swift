/// The index page's data as JSON.
///
/// Times are in nanoseconds, and what counts is a total since the start: whoever wants a rate asks twice.
enum OverviewJSON {
    static func value(_ overview: Overview) -> JSONValue {
        .object([
            ("shape", .string(overview.shape)), ("places", .string(overview.places)),
            ("state", .string(overview.state.text)),
            ("unready", strings(overview.unready)), ("version", .string(overview.version)),
            ("uptime_seconds", .int(Int(overview.uptime / 1_000_000_000))),
            ("time", .string(LogTime.text(overview.now))),
            ("clock", .int(Int(overview.uptime / 1_000_000))), ("config", config(overview.config)),
            ("totals", totals(overview.totals)), ("listeners", .array(overview.listeners.map(listener))),
            ("clusters", .array(overview.clusters.map(cluster))),
            (
                "faults",
                .array(
                    overview.faults.map {
                        .object([
                            ("reason", .string($0.reason)), ("count", count($0.count)),
                            ("meaning", .string($0.meaning)), ("advice", .string($0.advice)),
                        ])
                    })
            ),
            ("certificates", .array(overview.certificates.map(certificate))),
            ("filters", .array(overview.filters.map(filter))),
        ])
    }

    private static func strings(_ all: [String]) -> JSONValue { .array(all.map { .string($0) }) }
    private static func count(_ number: Int64) -> JSONValue { .int(Int(number)) }

    private static func config(_ config: Overview.Config) -> JSONValue {
        let refused = config.refused.map { refused in
            JSONValue.object([
                ("time", .string(LogTime.text(refused.time))), ("place", .string(refused.place)),
                ("message", .string(refused.message)), ("details", .string(refused.details)),
            ])
        }
        return .object([
            ("file", config.file.map { .string($0) } ?? .null), ("generation", .int(config.generation)),
            ("since", .string(LogTime.text(config.since))), ("summary", .string(config.summary)),
            ("refused", refused ?? .null),
        ])
    }

    private static func totals(_ totals: Overview.Totals) -> JSONValue {
        .object([
            ("requests", count(totals.requests)), ("active", count(totals.active)),
            ("answered", count(totals.answered)), ("errors", count(totals.errors)), ("times", latency(totals.times)),
            ("connections", .int(totals.connections)), ("cpu", .int(Int(totals.cpu))), ("memory", .int(totals.memory)),
        ])
    }

    /// With all buckets, so that whoever asks twice can tell what is new.
    private static func latency(_ latency: Latency, withBuckets: Bool = true) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("count", .int(Int(latency.count))), ("p50", .int(Int(latency.median))), ("p99", .int(Int(latency.high))),
        ]
        if withBuckets {
            let flat = latency.buckets.flatMap { [JSONValue.int(Int($0.bound)), .int(Int($0.count))] }
            members.append(("buckets", .array(flat)))
        }
        return .object(members)
    }

    private static func listener(_ listener: ListenerOverview) -> JSONValue {
        .object([
            ("name", .string(listener.name)), ("addresses", strings(listener.addresses)),
            ("protocol", .string(listener.isHTTP ? "http" : "tcp")),
            ("open_connections", count(listener.openConnections)), ("connections", count(listener.connections)),
            ("requests", count(listener.requests)), ("active", count(listener.active)),
            ("answered", count(listener.answered)), ("errors", count(listener.errors)),
            ("classes", .object(listener.classes.enumerated().map { ("\($0 + 1)xx", count($1)) })),
            ("unanswered", count(listener.unanswered)), ("cut_off", count(listener.cutOff)),
            ("times", latency(listener.times)),
            (
                "chains",
                .array(
                    listener.chains.map {
                        .object([("name", .string($0.name)), ("filters", .array($0.filters.map(filter)))])
                    })
            ),
            ("clusters", strings(listener.clusters)),
        ])
    }

    private static func filter(_ filter: FilterOverview) -> JSONValue {
        .object([
            ("name", .string(filter.name)), ("filter", .string(filter.id)), ("plugin", .bool(filter.isPlugin)),
            ("counters", .object(filter.counters.map { ($0.name, count($0.value)) })),
            ("request", latency(filter.down, withBuckets: false)),
            ("response", latency(filter.up, withBuckets: false)),
        ])
    }

    private static func filter(_ filter: Overview.LoadedFilter) -> JSONValue {
        .object([
            ("filter", .string(filter.id)), ("plugin", .bool(filter.isPlugin)), ("summary", .string(filter.summary)),
        ])
    }

    private static func cluster(_ cluster: ClusterOverview) -> JSONValue {
        .object([
            ("name", .string(cluster.name)), ("requests", count(cluster.requests)), ("active", count(cluster.active)),
            ("waiting", count(cluster.waiting)), ("answered", count(cluster.answered)),
            ("errors", count(cluster.errors)), ("retries", count(cluster.retries)), ("times", latency(cluster.times)),
            (
                "limits",
                .array(
                    cluster.limits.map {
                        .object([
                            ("name", .string($0.name)), ("count", .int($0.count)), ("most", .int($0.most)),
                            ("reached", .bool($0.isReached)),
                        ])
                    })
            ),
            ("endpoints", .array(cluster.endpoints.map(endpoint))),
        ])
    }

    private static func endpoint(_ endpoint: ClusterOverview.Endpoint) -> JSONValue {
        .object([
            ("address", .string(endpoint.address)), ("host", .string(endpoint.host)),
            ("health", .string(endpoint.health.rawValue)), ("requests", count(endpoint.requests)),
            ("errors", count(endpoint.errors)), ("active", count(endpoint.active)),
            ("connections", count(endpoint.connections)), ("connect_failures", count(endpoint.connectFailures)),
        ])
    }

    private static func certificate(_ certificate: Overview.Certificate) -> JSONValue {
        .object([
            ("path", .string(certificate.path)), ("subject", .string(certificate.subject)),
            ("names", strings(certificate.names)), ("authority", .bool(certificate.isAuthority)),
            ("days_left", .int(certificate.daysLeft)),
        ])
    }
}
