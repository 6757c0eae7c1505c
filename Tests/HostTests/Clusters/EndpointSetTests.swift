import Engine
import FilterAPI
import Testing

@testable import Host

private let second: Nanoseconds = 1_000_000_000

@Suite("Sets of endpoints") struct EndpointSetTests {
    private let loop: EventLoop
    private let server: NameServer
    private let resolver: Resolver
    private let log: LogPipe

    init() throws {
        loop = try EventLoop()
        server = try NameServer(loop)
        log = try LogPipe()
        resolver = try Resolver(
            loop: loop, servers: [server.address], log: Log(level: .info, format: .text, fd: log.writeEnd))
    }

    private func settings(_ endpoints: String..., edit: (inout ClusterSettings) -> Void = { _ in }) -> ClusterSettings {
        var settings = ClusterSettings()
        settings.endpoints = endpoints.compactMap { EndpointSettings(shorthand: $0) }
        settings.dns.family = .v4
        settings.dns.refresh = .milliseconds(100)
        edit(&settings)
        return settings
    }

    /// Turns the loop until something is true.
    private func turn(_ seconds: Double = 10, until condition: () -> Bool) -> Bool {
        let end = Syscalls.timeNow() + UInt64(seconds * 1e9)
        while !condition() {
            guard Syscalls.timeNow() < end else { return false }
            loop.turn(maxWait: 20_000_000)
        }
        return true
    }

    /// The lists that workers got, as `address*weight`.
    private final class Told {
        var lists: [[String]] = []
        func take(_ list: EndpointList) { lists.append(list.entries.map { "\($0.name.text)*\($0.weight)" }) }
    }

    private func address(_ text: String) throws -> SocketAddress { try SocketAddress.parse(text) }

    // MARK: What is thought of endpoints

    @Test("an endpoint that goes bad serves no more, and serves again once nobody objects") func badAndGood() throws {
        let told = Told()
        let set = EndpointSet("app", settings("10.0.0.1:80", "10.0.0.2:80"), resolver: resolver, onChange: told.take)
        let first = try address("10.0.0.1:80")
        set.change(first, at: 5) { $0.failedCheck = true }
        #expect(told.lists == [["10.0.0.2:80*1"]])
        #expect(set.status(of: first).badSince == 5)
        set.change(first, at: 6) { $0.isEjected = true }
        set.change(first, at: 7) { $0.failedCheck = false }
        #expect(told.lists.count == 1)
        #expect(set.status(of: first) == EndpointStatus(isEjected: true, badSince: 5))
        set.change(first, at: 8) { $0.isEjected = false }
        #expect(told.lists.last == ["10.0.0.1:80*1", "10.0.0.2:80*1"])
        #expect(set.status(of: first).healthySince == 8)
        #expect(set.known.entries.count == 2)
    }

    @Test("nothing is kept of addresses that are not known") func unknown() throws {
        let told = Told()
        let set = EndpointSet("app", settings("10.0.0.1:80"), resolver: resolver, onChange: told.take)
        let other = try address("10.0.0.9:80")
        set.change(other, at: 1) { $0.failedCheck = true }
        #expect(set.status(of: other) == EndpointStatus())
        #expect(told.lists.isEmpty)
    }

    @Test("several changes at once are one for the workers") func together() throws {
        let told = Told()
        let set = EndpointSet(
            "app", settings("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80"), resolver: resolver,
            onChange: told.take)
        set.changeTogether {
            for entry in set.known.entries.prefix(2) { set.change(entry.address, at: 1) { $0.isEjected = true } }
        }
        #expect(told.lists == [["10.0.0.3:80*1", "10.0.0.4:80*1"]])
    }

    @Test("a set that has been stopped tells nothing more") func stopped() throws {
        let told = Told()
        let set = EndpointSet("app", settings("10.0.0.1:80", "10.0.0.2:80"), resolver: resolver, onChange: told.take)
        set.stop()
        set.change(try address("10.0.0.1:80"), at: 1) { $0.isEjected = true }
        #expect(told.lists.isEmpty)
    }

    // MARK: Coming and going

    @Test("whoever checks endpoints hears of new ones before the workers do, and old ones are forgotten")
    func comeAndGo() throws {
        server.set("app.test", v4: .addresses(["10.0.0.1", "10.0.0.2"]))
        let told = Told()
        let checker = Told()
        let set = EndpointSet("app", settings("app.test:80"), resolver: resolver, onChange: told.take)
        set.add(observer: checker) {
            checker.take(set.known)
            for entry in set.known.entries where entry.name.text == "10.0.0.3:80" {
                set.change(entry.address, at: 1) { $0.failedCheck = true }
            }
        }
        set.begin()
        #expect(turn { told.lists == [["10.0.0.1:80*1", "10.0.0.2:80*1"]] })
        #expect(checker.lists == told.lists)
        set.change(try address("10.0.0.1:80"), at: 1) { $0.isEjected = true }
        server.set("app.test", v4: .addresses(["10.0.0.2", "10.0.0.3"]))
        // The one that serves already did; of the one that came the checker thinks nothing yet.
        #expect(turn { checker.lists.count == 2 })
        #expect(checker.lists.last == ["10.0.0.2:80*1", "10.0.0.3:80*1"])
        #expect(told.lists.last == ["10.0.0.2:80*1"])
        #expect(set.status(of: try address("10.0.0.1:80")) == EndpointStatus())
        set.remove(observer: checker)
    }

    // MARK: The floor and panic

    @Test("the log says who is kept because of the floor, and when that is over") func kept() throws {
        let told = Told()
        let settings = settings("10.0.0.1:80") {
            $0.panicThreshold = .zero
            $0.minServing = .percent(50)
        }
        let set = EndpointSet("app", settings, resolver: resolver, onChange: told.take)
        let only = try address("10.0.0.1:80")
        set.change(only, at: 1) { $0.failedCheck = true }
        #expect(set.status(of: only).isKept)
        #expect(told.lists.isEmpty)
        set.change(only, at: 2) { $0.isEjected = true }
        set.change(only, at: 3) { $0 = EndpointStatus() }
        #expect(!set.status(of: only).isKept)
        let lines = log.lines
        try #require(lines.count == 2)
        #expect(
            lines[0].hasSuffix(
                "INFO    bad endpoint kept in service cluster=app endpoint=10.0.0.1:80 reason=min_serving"))
        #expect(
            lines[1].hasSuffix(
                "INFO    endpoint no longer kept in service cluster=app endpoint=10.0.0.1:80 reason=min_serving"))
    }

    @Test("the log says when all of a level are used, and when that is over") func panic() throws {
        let set = EndpointSet("app", settings("10.0.0.1:80"), resolver: resolver) { _ in }
        set.change(try address("10.0.0.1:80"), at: 1) { $0.failedCheck = true }
        #expect(set.list.entries.count == 1)
        set.change(try address("10.0.0.1:80"), at: 2) { $0.failedCheck = false }
        let lines = log.lines
        try #require(lines.count == 2)
        #expect(lines[0].contains("WARNING too few endpoints are good, all are used cluster=app priority=0"))
        #expect(lines[1].contains("INFO    enough endpoints are good, only those are used cluster=app priority=0"))
    }

    // MARK: Slow start

    @Test("weights grow by themselves until they are full, and nothing more is told then") func growth() throws {
        let told = Told()
        let settings = settings("10.0.0.1:80", "10.0.0.2:80") {
            var slowStart = SlowStartSettings()
            slowStart.window = .milliseconds(300)
            $0.slowStart = slowStart
        }
        let set = EndpointSet("app", settings, resolver: resolver, onChange: told.take)
        #expect(set.list.entries.map(\.weight) == [1, 1])
        let first = try address("10.0.0.1:80")
        set.change(first, at: Syscalls.timeNow()) { $0.isEjected = true }
        set.change(first, at: Syscalls.timeNow()) { $0.isEjected = false }
        #expect(told.lists.last == ["10.0.0.1:80*10", "10.0.0.2:80*100"])
        #expect(turn { told.lists.last == ["10.0.0.1:80*1", "10.0.0.2:80*1"] })
        // One for the ejection, one for the return, and at most one each 100 ms.
        #expect(told.lists.count >= 3 && told.lists.count <= 6)
        set.stop()
    }

    @Test("an address that joins others begins slowly, the first ones do not") func joining() throws {
        server.set("app.test", v4: .addresses(["10.0.0.1"]))
        let told = Told()
        let settings = settings("app.test:80") { $0.slowStart = SlowStartSettings() }
        let set = EndpointSet("app", settings, resolver: resolver, onChange: told.take)
        set.begin()
        #expect(turn { told.lists == [["10.0.0.1:80*1"]] })
        server.set("app.test", v4: .addresses(["10.0.0.1", "10.0.0.2"]))
        #expect(turn { told.lists.count == 2 })
        #expect(told.lists.last == ["10.0.0.1:80*100", "10.0.0.2:80*10"])
        set.stop()
    }

    @Test("after a reload those that are new begin slowly, and those that were there go on") func reload() throws {
        let edit: (inout ClusterSettings) -> Void = { $0.slowStart = SlowStartSettings() }
        let before = EndpointSet("app", settings("10.0.0.1:80", edit: edit), resolver: resolver) { _ in }
        let after = EndpointSet(
            "app", settings("10.0.0.1:80", "10.0.0.2:80", edit: edit), resolver: resolver, after: before
        ) { _ in }
        #expect(after.list.entries.map(\.weight) == [100, 10])
        let again = EndpointSet(
            "app", settings("10.0.0.2:80", "10.0.0.1:80", edit: edit), resolver: resolver, after: after
        ) { _ in }
        #expect(again.list.entries.map(\.weight) == [10, 100])
    }
}
