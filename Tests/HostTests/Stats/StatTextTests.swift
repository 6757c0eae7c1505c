import FilterAPI
import Filters
import Testing

@testable import Host

@Suite("Statistics as text") struct StatTextTests {
    private static let schema = StatSchema([
        .init(.counter("requests", "Requests."), label: "kind=\"x\""),
        .init(.gauge("running", "Requests that run."), isAlwaysShown: true),
        .init(.counter("never", "What never happens.")),
        .init(StatDescription("wait_ms", .counter, .time, "Time.")),
        .init(.histogram("time", .time, "How long.")),
        .init(.gauge("hidden", "Not for Prometheus."), prometheus: ""),
    ])

    private func filled(_ name: String = "app") -> StatGroup {
        let group = StatGroup(.cluster(name), Self.schema, .workers(2))
        for slot in 0..<2 {
            unsafe Counter(cell: group.words(slot: slot) + Self.schema.entries[0].position).add()
            unsafe Counter(cell: group.words(slot: slot) + Self.schema.entries[3].position).add(1_500_000_000)
        }
        unsafe Gauge(cell: group.words(slot: 0) + Self.schema.entries[5].position).set(3)
        group.histogram(Self.schema.entries[4], slot: 0).record(5_000_000)
        group.histogram(Self.schema.entries[4], slot: 1).record(70_000_000)
        return group
    }

    private func text(_ bytes: borrowing ByteText) -> String { String(decoding: bytes.copy(), as: UTF8.self) }

    @Test("Lines are sorted, times are in milliseconds, histograms come last") func lines() {
        let lines = text(StatLines.text([filled()], .init())).split(separator: "\n").map(String.init)
        #expect(
            lines.dropLast() == [
                "cluster.app.hidden: 3", "cluster.app.never: 0", "cluster.app.requests: 2", "cluster.app.running: 0",
                "cluster.app.wait_ms: 3000",
            ])
        #expect(lines.last?.hasPrefix("cluster.app.time: P0(nan,") == true)
        #expect(lines.last?.hasSuffix(" P100(nan,70)") == true)
    }

    @Test("Only what is asked for is shown") func choice() {
        var choice = StatLines.Choice(onlyUsed: true)
        choice.kind = .counter
        #expect(text(StatLines.text([filled()], choice)) == "cluster.app.requests: 2\ncluster.app.wait_ms: 3000\n")
        choice.kind = .histogram
        #expect(text(StatLines.text([filled()], choice)).hasPrefix("cluster.app.time: P0"))
    }

    @Test("A histogram without values says so") func noValues() {
        let empty = StatGroup(.cluster("app"), Self.schema, .workers(1))
        #expect(text(StatLines.text([empty], .init())).hasSuffix("cluster.app.time: No recorded values\n"))
    }

    @Test("JSON has Envoy's form, with names escaped") func json() {
        var choice = StatLines.Choice(onlyUsed: true)
        choice.kind = .counter
        let found = text(StatLines.json([filled("a\"b")], choice))
        #expect(
            found == #"{"stats":[{"name":"cluster.a\"b.requests","value":2},"#
                + #"{"name":"cluster.a\"b.wait_ms","value":3000}]}"# + "\n")
    }

    @Test("Prometheus gets each family once, with its meaning, and base units") func prometheus() {
        let found = text(PrometheusText.render([filled(), filled("b\\\"\n")]))
        let lines = found.split(separator: "\n").map(String.init)
        #expect(lines.count { $0 == "# TYPE sluice_cluster_requests_total counter" } == 1)
        #expect(lines.contains("# HELP sluice_cluster_requests_total Requests."))
        #expect(lines.contains("sluice_cluster_requests_total{cluster=\"app\",kind=\"x\"} 2"))
        #expect(lines.contains("sluice_cluster_requests_total{cluster=\"b\\\\\\\"\\n\",kind=\"x\"} 2"))
        #expect(lines.contains("sluice_cluster_running{cluster=\"app\"} 0"))
        #expect(lines.contains("sluice_cluster_wait_seconds_total{cluster=\"app\"} 3"))
        #expect(lines.contains("sluice_cluster_time_seconds_bucket{cluster=\"app\",le=\"0.005\"} 1"))
        #expect(lines.contains("sluice_cluster_time_seconds_bucket{cluster=\"app\",le=\"0.0025\"} 0"))
        #expect(lines.contains("sluice_cluster_time_seconds_bucket{cluster=\"app\",le=\"+Inf\"} 2"))
        #expect(lines.contains("sluice_cluster_time_seconds_sum{cluster=\"app\"} 0.075000000"))
        #expect(!lines.contains { $0.hasPrefix("sluice_cluster_never") || $0.hasPrefix("sluice_cluster_hidden") })
    }

    @Test("What was used once is shown as 0 after a reset") func seen() {
        let group = filled()
        _ = PrometheusText.render([group])
        for slot in 0..<2 { group.resetCounters(slot: slot) }
        let lines = text(PrometheusText.render([group])).split(separator: "\n").map(String.init)
        #expect(lines.contains("sluice_cluster_requests_total{cluster=\"app\",kind=\"x\"} 0"))
    }

    @Test("Names are in base units and end as their kind does") func names() {
        let names: [(StatDescription, String)] = [
            (.counter("requests", ""), "requests_total"), (.counter("requests_total", ""), "requests_total"),
            (.gauge("open.now", ""), "open_now"), (StatDescription("x_ms", .histogram, .time, ""), "x_seconds"),
            (StatDescription("rx_bytes_total", .counter, .bytes, ""), "rx_bytes_total"),
            (StatDescription("size", .histogram, .bytes, ""), "size_bytes"),
        ]
        for (description, name) in names { #expect(PrometheusName.of(description) == name) }
    }
}
