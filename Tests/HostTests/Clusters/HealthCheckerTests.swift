import Config
import Engine
import FilterAPI
import Filters
import Testing

@testable import Host

@Suite("Health checks on two loops") struct HealthCheckerTests {
    private let loop: EventLoop
    private let worker: Worker
    private let registry = StatRegistry(workers: 1)
    private let log: LogPipe
    private let resolver: Resolver
    private let passed = Passed()

    /// The endpoints of checks that have passed.
    private final class Passed {
        var all: [SocketAddress] = []
        func take(_ address: SocketAddress) { all.append(address) }
    }

    init() throws {
        loop = try EventLoop()
        log = try LogPipe()
        let processLog = Log(level: .info, format: .text, fd: log.writeEnd)
        worker = try Worker(index: 0, registry: registry, log: processLog, connectionLimit: ConnectionLimit(10))
        resolver = try Resolver(loop: loop, servers: [], log: processLog)
    }

    /// A cluster as the loader makes it, installed on the worker; its set of endpoints and its checker.
    private func cluster(
        _ endpoints: [SocketAddress], _ checks: String, after previous: HealthChecker? = nil
    ) throws -> (set: EndpointSet, checker: HealthChecker) {
        let addresses = endpoints.map { "'\($0)'" }.joined(separator: ", ")
        let text = """
            listeners: { in: { bind: '127.0.0.1:0', chain: [ http, router: { to: checked } ] } }
            clusters: { checked: { endpoints: [ \(addresses) ], health_checks: \(checks) } }
            """
        let diagnostics = Diagnostics(file: "sluice.yaml")
        var loader = ConfigLoader(registry: FilterRegistry(BuiltinFilters.types), diagnostics: diagnostics)
        let plan = try #require(loader.load(text: text)?.clusters.first)
        let chain = try ChainBuilder(file: "sluice.yaml").build(
            plan.chain, of: plan.name, side: .upstream, services: worker)
        let set = EndpointSet("checked", plan.settings, resolver: resolver) { _ in }
        let checker = HealthChecker(
            set, plan.settings, on: loop, worker: worker, log: worker.log, after: previous, onPass: passed.take)
        worker.install(
            plan, id: ClusterNames.process.id("checked"), chain: chain, endpoints: set.list, health: checker.link)
        checker.begin()
        return (set, checker)
    }

    private func turn(_ seconds: Double = 10, until condition: () -> Bool) -> Bool {
        let end = Syscalls.timeNow() + UInt64(seconds * 1e9)
        while !condition() {
            guard Syscalls.timeNow() < end else { return false }
            loop.turn(maxWait: 1_000_000)
            worker.loop.turn(maxWait: 1_000_000)
        }
        return true
    }

    private func count(_ name: String) -> Int64 { registry.value("cluster.checked.health_check.\(name)") ?? 0 }

    private var healthy: Int64? { registry.value("cluster.checked.health_check.healthy") }

    /// A socket that the kernel answers for, without anybody who accepts; and one that refuses.
    private func sockets() throws -> (open: ListeningSocket, closed: SocketAddress) {
        let any = try SocketAddress.parse("127.0.0.1:0")
        let gone = try ListeningSocket.open(any, backlog: 8)
        let address = gone.address
        let open = try ListeningSocket.open(any, backlog: 8)
        gone.close()
        return (open, address)
    }

    @Test("checks are counted, and what they find is kept with the endpoints") func counted() throws {
        let (open, closed) = try sockets()
        defer { open.close() }
        let (set, checker) = try cluster([open.address, closed], "{ tcp: {}, interval: 10ms }")
        #expect(healthy == 2)
        #expect(turn { count("success") >= 3 && count("failure") >= 3 })
        checker.stop()
        #expect(count("failure") == count("network_failure"))
        // What was under way at the end has no result.
        #expect((0...2).contains(count("attempt") - count("success") - count("failure")))
        #expect(count("passive_failure") == 0 && healthy == 1)
        #expect(passed.all.count == count("success") && Set(passed.all) == [open.address])
        #expect(set.status(of: closed).failedCheck && !set.status(of: open.address).failedCheck)
        #expect(!set.status(of: closed).awaitsFirstPass)
        #expect(set.list.entries.map(\.address).contains(open.address))
    }

    @Test("an answer that warns of its endpoint is counted by itself") func passive() throws {
        let (open, _) = try sockets()
        defer { open.close() }
        let (set, checker) = try cluster([open.address], "{ tcp: {}, interval: 1h }")
        #expect(turn { count("success") == 1 })
        checker.refused(open.address)
        checker.refused(try SocketAddress.parse("127.0.0.9:9"))
        #expect(set.status(of: open.address).failedCheck)
        #expect(count("passive_failure") == 1 && count("failure") == 0 && healthy == 0)
        checker.stop()
    }

    @Test("who joins others waits for its first pass, also over a further change") func newcomers() throws {
        let (open, closed) = try sockets()
        defer { open.close() }
        let first = try cluster([open.address], "{ tcp: {}, interval: 10ms }")
        #expect(turn { count("success") >= 1 })
        let second = try cluster([open.address, closed], "{ tcp: {}, interval: 10ms }", after: first.checker)
        first.checker.stop()
        #expect(second.set.status(of: closed).awaitsFirstPass && healthy == 1)
        #expect(turn { count("failure") >= 1 })
        let third = try cluster([open.address, closed], "{ tcp: {}, interval: 20ms }", after: second.checker)
        second.checker.stop()
        #expect(third.set.status(of: closed).awaitsFirstPass)
        #expect(third.set.list.entries.map(\.address) == [open.address])
        third.checker.stop()
    }

    @Test("results for a checker that has gone do nothing") func late() throws {
        let (open, _) = try sockets()
        defer { open.close() }
        let attempts: Int64
        let kept: [StatGroup]
        do {
            let (_, checker) = try cluster([open.address], "{ tcp: {}, interval: 10ms }")
            #expect(turn { count("attempt") >= 1 })
            attempts = count("attempt")
            kept = registry.groups
            checker.stop()
        }
        let successes = count("success")
        for _ in 0..<20 {
            loop.turn(maxWait: 1_000_000)
            worker.loop.turn(maxWait: 1_000_000)
        }
        #expect(count("attempt") == attempts && count("success") == successes)
        withExtendedLifetime(kept) {}
    }

    @Test("jitter spreads the first checks") func spread() throws {
        let (open, _) = try sockets()
        defer { open.close() }
        let (_, checker) = try cluster([open.address], "{ tcp: {}, initial_jitter: 24h }")
        loop.turn(maxWait: 5_000_000)
        #expect(count("attempt") == 0)
        checker.stop()
    }
}
