internal import Engine
internal import FilterAPI

/// Clusters, endpoints and listeners, in Envoy's forms.
extension AdminOffice {
    func clusters(_ question: AdminQuestion) -> AdminAnswer {
        let reports = control.clusterReports
        if question["format"] == "json" {
            return .json(.object([("cluster_statuses", .array(reports.map(Self.json)))]))
        }
        var text = ""
        for report in reports { text += Self.lines(report) }
        return .text(text)
    }

    private static func lines(_ report: ClusterReport) -> String {
        let name = report.name
        var text = "\(name)::observability_name::\(name)\n"
        for (key, value) in report.limits { text += "\(name)::default_priority::\(key)::\(value)\n" }
        text += "\(name)::added_via_api::false\n"
        for endpoint in report.endpoints {
            let start = "\(name)::\(endpoint.address)::"
            for (key, value) in endpoint.statistics { text += "\(start)\(key)::\(value)\n" }
            text += "\(start)hostname::\(endpoint.host)\n\(start)health_flags::\(endpoint.healthFlags)\n"
            text += "\(start)weight::\(endpoint.weight)\n\(start)region::\n\(start)zone::\n\(start)sub_zone::\n"
            text += "\(start)canary::false\n\(start)priority::\(endpoint.priority)\n"
            text += "\(start)success_rate::-1\n\(start)local_origin_success_rate::-1\n"
        }
        return text
    }

    private static func json(_ report: ClusterReport) -> JSONValue {
        let thresholds = JSONValue.object(
            [("priority", .string("DEFAULT"))] + report.limits.map { ($0.key, JSONValue.int($0.value)) })
        return .object([
            ("name", .string(report.name)), ("added_via_api", .bool(false)),
            ("host_statuses", .array(report.endpoints.map(json))),
            ("circuit_breakers", .object([("thresholds", .array([thresholds]))])),
            ("observability_name", .string(report.name)),
        ])
    }

    private static func json(_ endpoint: ClusterReport.EndpointReport) -> JSONValue {
        var health: [(String, JSONValue)] = [("eds_health_status", .string("HEALTHY"))]
        if endpoint.status.failedCheck { health.append(("failed_active_health_check", .bool(true))) }
        if endpoint.status.isEjected { health.append(("failed_outlier_check", .bool(true))) }
        if endpoint.status.awaitsFirstPass { health.append(("pending_active_hc", .bool(true))) }
        return .object([
            ("address", address(endpoint.address)),
            (
                "stats",
                .array(
                    endpoint.statistics.map { key, value in
                        .object([
                            ("name", .string(key)), ("value", .string("\(value)")),
                            ("type", .string(key.hasSuffix("active") ? "GAUGE" : "COUNTER")),
                        ])
                    })
            ),
            ("health_status", .object(health)), ("weight", .int(endpoint.weight)),
            ("hostname", .string(endpoint.host)), ("priority", .int(endpoint.priority)), ("locality", .object([])),
        ])
    }

    private static func address(_ address: String) -> JSONValue {
        if address.hasPrefix("unix:") {
            return .object([("pipe", .object([("path", .string(String(address.dropFirst(5))))]))])
        }
        let colon = address.lastIndex(of: ":") ?? address.endIndex
        var host = address[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        let port = colon == address.endIndex ? 0 : Int(address[address.index(after: colon)...]) ?? 0
        return .object([
            (
                "socket_address",
                .object([("address", .string(String(host))), ("port_value", .int(port))])
            )
        ])
    }

    func listeners(_ question: AdminQuestion) -> AdminAnswer {
        let bound = control.boundAddresses
        if question["format"] == "json" {
            let statuses = bound.map { listener, address in
                JSONValue.object([("name", .string(listener)), ("local_address", Self.address(address))])
            }
            return .json(.object([("listener_statuses", .array(statuses))]))
        }
        return .text(bound.map { "\($0.listener)::\($0.address)\n" }.joined())
    }
}

/// What is known of a cluster, for whoever looks.
struct ClusterReport {
    /// What is known of one endpoint.
    struct EndpointReport {
        let address: String
        let host: String
        let weight: Int
        let priority: Int
        let status: EndpointStatus
        let statistics: [(key: String, value: Int64)]

        /// In Envoy's words.
        var healthFlags: String {
            var flags = ""
            if status.failedCheck { flags += "/failed_active_hc" }
            if status.isEjected { flags += "/failed_outlier_check" }
            if status.awaitsFirstPass { flags += "/pending_active_hc" }
            return flags.isEmpty ? "healthy" : flags
        }
    }

    let name: String
    let limits: [(key: String, value: Int)]
    /// How much of each limit is taken up.
    let counts: [Int]
    let endpoints: [EndpointReport]
}
