import FilterAPI
import Testing

@testable import Host

@Suite("What counts against an endpoint")
struct OutlierWatchTests {
    /// A cluster `up` of two endpoints that behave alike, of which no more than one is put aside.
    private func bench(_ filters: String = "", outliers: String = "{}", up: String = "origin") throws -> HostBench {
        // Abstract sockets are the machine's: each bench has its own.
        let name = "unix:@sluice-outlier-\(UInt64.random(in: 0...(.max)))"
        return try HostBench(
            """
            listeners:
              front:
                bind: 127.0.0.1:0
                chain: [ http, \(filters) router: { to: up, timeout: 100ms } ]
              up: { bind: [ "\(name)-1", "\(name)-2" ], chain: [ http, \(up) ] }
            clusters:
              up:
                endpoints: [ "\(name)-1", "\(name)-2" ]
                outlier_detection: \(outliers)
            """, [Again.self, GiveUp.self, Origin.self, Silent.self])
    }

    private func count(_ bench: HostBench, _ name: String) -> Int64 {
        bench.count("cluster.up.outlier_detection.\(name)")
    }

    private func ask(_ bench: HostBench, _ path: String, times: Int) throws {
        for _ in 0..<times {
            let answer = try bench.exchange("front", "GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 "))
        }
    }

    /// Waits until each of the two has been found as often as it is expected to be, and looks at all the numbers.
    private func expectFound(_ bench: HostBench, _ kind: String = "consecutive_5xx") {
        #expect(bench.turn { count(bench, "ejections_overflow") == 1 })
        #expect(count(bench, "ejections_detected_\(kind)") == 2)
        #expect(count(bench, "ejections_enforced_\(kind)") == 1)
        #expect(count(bench, "ejections_enforced_total") == 1)
        #expect(bench.registry.value("cluster.up.outlier_detection.ejections_active") == 1)
    }

    @Test("answers with 5xx, five of them in a row")
    func answers() throws {
        let bench = try bench()
        try ask(bench, "/down", times: 8)
        #expect(count(bench, "ejections_enforced_total") == 0)
        // Four each so far. From the fifth on one is left, which has its fifth then.
        try ask(bench, "/down", times: 3)
        expectFound(bench)
    }

    @Test("nothing where a good answer comes between")
    func between() throws {
        let bench = try bench()
        for _ in 0..<5 {
            try ask(bench, "/down", times: 8)
            try ask(bench, "/", times: 2)
        }
        #expect(bench.registry.groups.map(\.scope.prefix).filter { $0.contains("outlier_detection") } == [])
    }

    @Test("that no answer comes in time")
    func timeouts() throws {
        let bench = try bench(up: "silent")
        try ask(bench, "/", times: 11)
        expectFound(bench)
    }

    @Test("that a filter gives a try up that has no answer yet")
    func givenUp() throws {
        let bench = try bench("give_up: {},", up: "silent")
        try ask(bench, "/", times: 11)
        expectFound(bench)
    }

    @Test("each try of a request")
    func tries() throws {
        let bench = try bench("again: { tries: 10 },")
        try ask(bench, "/down", times: 1)
        expectFound(bench)
    }

    @Test("that it closes without an answer, apart from what it answers if that is wanted")
    func localOrigin() throws {
        let name = "unix:@sluice-outlier-\(UInt64.random(in: 0...(.max)))"
        let bench = try HostBench(
            """
            listeners: { front: { bind: 127.0.0.1:0, chain: [ http, router: { to: up } ] } }
            clusters:
              up:
                endpoints: [ "\(name)-1", "\(name)-2" ]
                outlier_detection: { split_external_local_origin_errors: true }
            """, [])
        try ask(bench, "/", times: 11)
        expectFound(bench, "consecutive_local_origin_failure")
    }

    @Test("nothing where a filter answers in its place")
    func innocent() throws {
        let bench = try bench("give_up: { leaves_it: true },", up: "silent")
        try ask(bench, "/", times: 12)
        #expect(bench.registry.groups.map(\.scope.prefix).filter { $0.contains("outlier_detection") } == [])
    }

    @Test("nothing where it is not asked for")
    func off() throws {
        let bench = try bench(outliers: "")
        try ask(bench, "/down", times: 20)
        #expect(bench.registry.groups.map(\.scope.prefix).filter { $0.contains("outlier_detection") } == [])
    }

    private func config(_ name: String, _ endpoints: [Int], outliers: String = "true") -> String {
        let endpoints = endpoints.map { "\"\(name)-\($0)\"" }.joined(separator: ", ")
        return """
            listeners:
              front: { bind: 127.0.0.1:0, chain: [ http, router: { to: up } ] }
              up: { bind: [ "\(name)-1", "\(name)-2", "\(name)-3" ], chain: [ http, origin ] }
            clusters: { up: { endpoints: [ \(endpoints) ], outlier_detection: \(outliers) } }
            """
    }

    @Test("in a reload nothing is forgotten, nor what was put aside, nor who was away meanwhile")
    func reload() throws {
        let name = "unix:@sluice-outlier-\(UInt64.random(in: 0...(.max)))"
        let bench = try HostBench(config(name, [1, 2]), [Origin.self])
        func active() -> Int64? { bench.registry.value("cluster.up.outlier_detection.ejections_active") }
        try ask(bench, "/down", times: 8)
        #expect(active() == nil)
        try bench.install(config(name, [2, 1]))
        try ask(bench, "/down", times: 3)
        expectFound(bench)
        // One of them is put aside. With a third one either may go without the last one going too.
        try bench.install(config(name, [1, 2, 3]))
        #expect(active() == 1)
        var seen: [Int64?] = []
        for gone in [[2, 3], [1, 3]] {
            try bench.install(config(name, gone))
            seen.append(active())
            try bench.install(config(name, [1, 2, 3]))
            #expect(active() == 1)
        }
        #expect(seen.contains(0) && seen.contains(1))
        try bench.install(config(name, [1, 2, 3], outliers: ""))
        #expect(active() == 0)
    }
}

/// Gives a request up that has not been answered for a moment, and answers itself.
final class GiveUp: HTTPFilter {
    struct Settings: FilterSettings {
        /// Answer at once, without giving up what is below before.
        var leavesIt = false
    }

    static let manifest = Manifest(id: "give_up", summary: "Does not wait.")
    private let settings: Settings

    init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) { self.settings = settings }

    func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> Bool? { false }

    func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout Bool, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        stream.wake(after: .milliseconds(20))
        return .next
    }

    func wake(_ state: inout Bool, _ stream: inout FilterAPI.Stream) throws(Fault) {
        if state || settings.leavesIt { return stream.reply(504, body: "given up") }
        state = true
        try stream.abandonBelow()
        stream.wake(after: .milliseconds(1))
    }
}

/// Never answers.
final class Silent: HTTPTerminal {
    static let manifest = Manifest(id: "silent", summary: "Says nothing.")

    init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {}

    func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout Void, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step { .next }
}
