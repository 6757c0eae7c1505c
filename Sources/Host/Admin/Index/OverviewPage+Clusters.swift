/// Clusters with their endpoints.
extension OverviewPage {
    /// So many endpoints of a cluster are shown; the rest is on a page of its own.
    private static let mostEndpoints = 24
    /// Where there are more clusters than this, those in which all is well have one line.
    private static let mostInFull = 20

    mutating func clusters() {
        guard !overview.clusters.isEmpty else { return }
        html.markup("<section><h2>clusters</h2>")
        command("/clusters")
        html.markup(
            "<div class=scroll><table class=numbers><thead><tr><th>cluster, endpoint<th>state<th>requests<th>/s<th>errors"
        )
        html.markup("<th>running<th>p50<th>p99</thead>")
        for index in overview.clusters.indices { cluster(index) }
        html.markup("</table></div></section>")
    }

    private mutating func cluster(_ index: Int) {
        let cluster = overview.clusters[index]
        html.markup("<tbody data-b=clusters.")
        html.text("\(index)")
        html.markup("><tr class=head><th>")
        html.text(cluster.name)
        html.markup("<td>")
        limits(cluster)
        let isBrief =
            overview.clusters.count > Self.mostInFull && !cluster.endpoints.isEmpty
            && cluster.endpoints.allSatisfy { $0.health == .healthy }
        if isBrief {
            html.markup(" <i class=healthy>")
            html.text("\(cluster.endpoints.count) healthy")
            html.markup("</i>")
        }
        number("num", "requests", PlainNumber.count(cluster.requests))
        number("rate", "requests", "")
        number("loss", "errors", PlainNumber.count(cluster.errors), isBad: cluster.errors > 0)
        number("num", "active", PlainNumber.count(cluster.active))
        number("p50", "times", PlainNumber.span(cluster.times.median))
        number("p99", "times", PlainNumber.span(cluster.times.high))
        html.markup("")
        if isBrief { return html.markup("</tbody>") }
        if cluster.endpoints.isEmpty {
            html.markup("<tr><td colspan=8 class=bad>✕ no endpoint is known")
        }
        for number in cluster.endpoints.indices.prefix(Self.mostEndpoints) {
            endpoint(cluster.endpoints[number], number)
        }
        if cluster.endpoints.count > Self.mostEndpoints {
            html.markup("<tr><td colspan=8><a href=/clusters>and ")
            html.text("\(cluster.endpoints.count - Self.mostEndpoints) more")
            html.markup("</a>")
        }
        html.markup("</tbody>")
    }

    private mutating func limits(_ cluster: ClusterOverview) {
        let reached = cluster.limits.filter(\.isReached)
        for limit in reached {
            html.markup("<span class=bad>■ ")
            html.text("\(limit.name) \(limit.count) of \(limit.most)")
            html.markup("</span> ")
        }
        var more: [String] = []
        if cluster.waiting > 0 { more.append("\(PlainNumber.count(cluster.waiting)) waiting") }
        if cluster.retries > 0 {
            more.append("\(PlainNumber.count(cluster.retries)) \(cluster.retries == 1 ? "retry" : "retries")")
        }
        html.text(more.joined(separator: " · "))
    }

    private mutating func endpoint(_ endpoint: ClusterOverview.Endpoint, _ index: Int) {
        html.markup("<tr data-b=endpoints.")
        html.text("\(index)")
        html.markup("><td class=address>")
        html.text(endpoint.address)
        if !endpoint.host.isEmpty, !endpoint.address.hasPrefix(endpoint.host), !endpoint.address.hasPrefix("unix:") {
            html.element("small", endpoint.host)
        }
        html.markup("<td><i class=")
        html.text(endpoint.health.rawValue)
        html.markup(">")
        html.text(endpoint.health.text)
        html.markup("</i>")
        number("num", "requests", PlainNumber.count(endpoint.requests))
        number("rate", "requests", "")
        number("loss", "errors", PlainNumber.count(endpoint.errors), isBad: endpoint.errors > 0)
        number("num", "active", PlainNumber.count(endpoint.active))
        html.markup("<td><td>")
    }

    private mutating func number(_ kind: StaticString, _ path: String, _ text: String, isBad: Bool = false) {
        if isBad { html.markup("<td class=bad>") } else { html.markup("<td>") }
        html.live(kind, path, text)
    }
}
