import Engine
import FilterAPI
import Glibc
import Testing

@testable import Host

@Suite("Looking names up") struct ResolverTests {
    private let loop: EventLoop
    private let server: NameServer
    private let resolver: Resolver
    private let log: LogPipe
    private let registry = StatRegistry(workers: 1)

    init() throws {
        loop = try EventLoop()
        server = try NameServer(loop)
        log = try LogPipe()
        resolver = try Resolver(
            loop: loop, servers: [server.address], log: Log(level: .info, format: .text, fd: log.writeEnd),
            registry: registry)
    }

    /// A cluster that looks again as soon as it may.
    private func settings(
        _ endpoints: String..., family: NameFamily = .auto, refresh: Duration = .milliseconds(100),
        timeout: Duration = .seconds(5)
    ) -> ClusterSettings {
        var settings = ClusterSettings()
        settings.endpoints = endpoints.compactMap { EndpointSettings(shorthand: $0) }
        settings.dns.family = family
        settings.dns.refresh = refresh
        settings.dns.timeout = timeout
        return settings
    }

    private func watch(_ settings: ClusterSettings) -> Watched { Watched(settings, resolver) }

    /// Turns the loop until something is true.
    private func turn(_ seconds: Double = 5, until condition: () -> Bool) -> Bool {
        let end = Syscalls.timeNow() + UInt64(seconds * 1e9)
        while !condition() {
            guard Syscalls.timeNow() < end else { return false }
            loop.turn(maxWait: 20_000_000)
        }
        return true
    }

    // MARK: Without a server

    @Test("addresses are there at once and are never looked up") func fixed() {
        let watched = watch(settings("127.0.0.1:80", "[::1]:81", "unix:/run/app.sock"))
        #expect(watched.lists == [["127.0.0.1:80", "[::1]:81", "unix:/run/app.sock"]])
        #expect(!watched.isUnresolved)
        #expect(resolver.runningCount == 0)
        #expect(server.queries == [])
    }

    @Test("localhost needs no server, and is the IPv4 address only", arguments: ["localhost", "LocalHost"])
    func localhost(name: String) {
        let watched = watch(settings("\(name):80"))
        #expect(turn { watched.last == ["127.0.0.1:80"] })
        #expect(server.queries == [])
    }

    // MARK: Addresses

    @Test("a name begins without endpoints and gets its addresses, in an order of their own") func found() {
        server.set("app.test", v4: .addresses(["127.0.0.3", "127.0.0.1", "127.0.0.2"], ttl: 60))
        let watched = watch(settings("app.test:8080", "127.0.0.9:1"))
        #expect(watched.lists == [["127.0.0.9:1"]])
        #expect(!watched.isUnresolved)
        let alone = watch(settings("app.test:80"))
        #expect(alone.isUnresolved)
        #expect(turn { watched.lists.count == 2 && alone.lists.count == 2 })
        #expect(watched.last == ["127.0.0.1:8080", "127.0.0.2:8080", "127.0.0.3:8080", "127.0.0.9:1"])
        #expect(alone.last == ["127.0.0.1:80", "127.0.0.2:80", "127.0.0.3:80"])
        #expect(!alone.isUnresolved)
        #expect(server.queries.count == 2, "one lookup for both clusters, an A and an AAAA")
    }

    @Test(
        "the family says which addresses are used",
        arguments: [
            (NameFamily.auto, ["127.0.0.1:80"]), (.v4, ["127.0.0.1:80"]), (.v6, ["[::1]:80"]),
            (.all, ["127.0.0.1:80", "[::1]:80"]),
        ])
    func families(family: NameFamily, expected: [String]) {
        server.set("both.test", v4: .addresses(["127.0.0.1"], ttl: 60), v6: .addresses(["::1"], ttl: 60))
        let watched = watch(settings("both.test:80", family: family))
        #expect(turn { watched.last == expected })
        if family == .v4 { #expect(server.queries.allSatisfy { !$0.isV6 }) }
    }

    @Test("where the name has no IPv4 address, or no way leads there, the IPv6 ones are used") func autoFamily() throws
    {
        let v4 = try #require(SocketAddress(parsing: "10.0.0.1:0"))
        let v6 = try #require(SocketAddress(parsing: "[fd00::1]:0"))
        #expect(NameAnswer([v6], timeToLive: 1).addresses(.auto, hasRoute: { _ in true }) == [v6])
        #expect(NameAnswer([v4], timeToLive: 1).addresses(.auto, hasRoute: { _ in false }) == [v4])
        #expect(NameAnswer([v4, v6], timeToLive: 1).addresses(.auto, hasRoute: { $0 == v6 }) == [v6])
        #expect(NameAnswer([v6, v4, v6, v4], timeToLive: 1).addresses(.all) == [v4, v6])
        server.set("six.test", v6: .addresses(["::1"], ttl: 60))
        let watched = watch(settings("six.test:80"))
        #expect(turn { watched.last == ["[::1]:80"] })
    }

    @Test("an alias is followed, and its shorter life counts") func alias() {
        server.set("www.test", v4: .alias("app.test", ttl: 0, ["127.0.0.4"], addressTTL: 3600))
        let watched = watch(settings("www.test:80", family: .v4))
        #expect(turn { watched.last == ["127.0.0.4:80"] })
        #expect(turn { server.queries.count >= 3 })
    }

    @Test("an answer that does not fit is fetched over TCP") func truncated() {
        let addresses = (1...200).map { "127.0.1.\($0)" }
        server.set("big.test", v4: .addresses(addresses, ttl: 60))
        server.isTruncating = true
        let watched = watch(settings("big.test:80", family: .v4))
        #expect(turn { watched.last.count == 200 })
        #expect(server.queries.map(\.isTCP) == [false, true])
    }

    // MARK: Time

    @Test("names are looked up again; only other addresses are told") func refreshed() {
        server.set("app.test", v4: .addresses(["127.0.0.1", "127.0.0.2"]))
        let watched = watch(settings("app.test:80", family: .v4))
        #expect(turn { watched.last == ["127.0.0.1:80", "127.0.0.2:80"] })
        server.set("app.test", v4: .addresses(["127.0.0.2", "127.0.0.1"]))
        let before = server.queries.count
        #expect(turn { server.queries.count >= before + 2 })
        #expect(watched.lists.count == 2)
        server.set("app.test", v4: .addresses(["127.0.0.3", "127.0.0.2"]))
        #expect(turn { watched.last == ["127.0.0.2:80", "127.0.0.3:80"] })
    }

    @Test("an answer is good for as long as it says") func timeToLive() {
        server.set("app.test", v4: .addresses(["127.0.0.1", "127.0.0.2"], ttl: 1))
        let watched = watch(settings("app.test:80", family: .v4))
        #expect(turn { watched.lists.count == 2 })
        let begin = Syscalls.timeNow()
        #expect(turn { server.queries.count == 2 })
        #expect(Syscalls.timeNow() - begin > 900_000_000)
    }

    @Test("names are not looked up more often than `refresh` says") func refreshFloor() {
        server.set("app.test", v4: .addresses(["127.0.0.1"], ttl: 0))
        let watched = watch(settings("app.test:80", family: .v4, refresh: .milliseconds(400)))
        #expect(turn { watched.lists.count == 2 })
        let begin = Syscalls.timeNow()
        #expect(turn { server.queries.count == 2 })
        #expect(Syscalls.timeNow() - begin > 350_000_000)
    }

    // MARK: Failures

    @Test("a name that does not exist yet is found when it does; the log tells both once") func later() throws {
        let watched = watch(settings("late.test:80", family: .v4))
        #expect(turn { server.queries.count >= 1 && !log.lines.isEmpty })
        #expect(watched.isUnresolved)
        server.set("late.test", v4: .addresses(["127.0.0.1"], ttl: 60))
        #expect(turn { watched.last == ["127.0.0.1:80"] })
        #expect(!watched.isUnresolved)
        let lines = log.lines
        #expect(lines.count == 2)
        #expect(lines[0].contains("WARNING") && lines[0].contains("name=late.test"))
        #expect(lines[0].contains("the name does not exist") && lines[0].contains("kept=none"))
        #expect(lines[1].contains("INFO") && lines[1].contains("resolved again"))
        #expect(registry.value("dns.lookups_failed") ?? 0 >= 1)
    }

    @Test("the last good addresses stay while lookups fail", arguments: ["missing", "broken", "nothing", "silence"])
    func lastGood(how: String) {
        server.set("app.test", v4: .addresses(["127.0.0.1"]))
        let watched = watch(settings("app.test:80", family: .v4, timeout: .milliseconds(300)))
        #expect(turn { watched.last == ["127.0.0.1:80"] })
        let bad: [String: NameServer.Answer] = [
            "missing": .missing, "broken": .broken, "nothing": .nothing, "silence": .silence,
        ]
        server.set("app.test", v4: bad[how])
        #expect(turn { !log.lines.isEmpty })
        #expect(log.lines[0].contains("kept=127.0.0.1"))
        #expect(watched.lists.count == 2)
        server.set("app.test", v4: .addresses(["127.0.0.2"]))
        #expect(turn { watched.last == ["127.0.0.2:80"] })
        #expect(log.lines.count == 2)
    }

    @Test("a server that says nothing costs a lookup its time, and no more") func silent() {
        server.set("app.test", v4: .silence)
        let watched = watch(settings("app.test:80", family: .v4, timeout: .milliseconds(400)))
        let begin = Syscalls.timeNow()
        #expect(turn { !log.lines.isEmpty })
        #expect(Syscalls.timeNow() - begin < 1_500_000_000)
        #expect(log.lines[0].contains("no server has answered in time"))
        #expect(server.queries.count >= 2, "a lost packet is sent again")
        #expect(registry.value("dns.lookups_timed_out") == 1)
        #expect(resolver.runningCount == 0)
        server.set("app.test", v4: .addresses(["127.0.0.1"], ttl: 60))
        #expect(turn { watched.last == ["127.0.0.1:80"] })
    }

    @Test("a server that never answers for IPv6 does not hide the IPv4 addresses") func halfSilent() {
        server.set("app.test", v4: .addresses(["127.0.0.1"], ttl: 60), v6: .silence)
        let watched = watch(settings("app.test:80", timeout: .seconds(1)))
        #expect(turn { watched.last == ["127.0.0.1:80"] })
        #expect(log.lines == [])
    }

    @Test("a server that is not there is asked again and again") func refused() throws {
        let nobody = try Resolver(loop: loop, servers: ["127.0.0.1:1"], log: nil, registry: registry)
        let watched = Watched(settings("app.test:80", family: .v4, timeout: .milliseconds(200)), nobody)
        #expect(turn { registry.value("dns.lookups_failed") ?? 0 >= 2 })
        #expect(watched.isUnresolved)
        server.set("app.test", v4: .addresses(["127.0.0.1"], ttl: 60))
        nobody.change(servers: [server.address])
        #expect(turn { watched.last == ["127.0.0.1:80"] })
        withExtendedLifetime(nobody) {}
    }

    // MARK: Coming and going

    @Test("what has stopped is not called, and its name is no longer looked up") func stopped() {
        server.set("app.test", v4: .addresses(["127.0.0.1"]))
        let watched = watch(settings("app.test:80", family: .v4))
        #expect(turn { watched.lists.count == 2 })
        watched.set?.stop()
        server.set("app.test", v4: .addresses(["127.0.0.2"]))
        #expect(turn { resolver.recordCount == 0 })
        let count = server.queries.count
        #expect(!turn(0.3) { server.queries.count > count })
        #expect(watched.lists.count == 2)
    }

    @Test("a cluster that takes the place of another begins with the addresses that are known") func reloaded() {
        server.set("app.test", v4: .addresses(["127.0.0.1"]))
        let before = watch(settings("app.test:80", family: .v4))
        #expect(turn { before.lists.count == 2 })
        before.set?.stop()
        let after = watch(settings("app.test:81", family: .v4))
        #expect(after.lists == [["127.0.0.1:81"]])
        server.set("app.test", v4: .addresses(["127.0.0.2"]))
        #expect(turn { after.last == ["127.0.0.2:81"] })
        #expect(before.lists.count == 2)
    }

    @Test("a resolver may go while it is looking") func abandoned() throws {
        server.set("app.test", v4: .silence)
        var other: Resolver? = try Resolver(loop: loop, servers: [server.address])
        var watched: Watched? = other.map { Watched(settings("app.test:80", family: .v4), $0) }
        let sources = loop.sourceCount
        #expect(turn { server.queries.count == 1 })
        watched = nil
        other = nil
        #expect(watched == nil && other == nil)
        #expect(loop.sourceCount < sources)
        loop.turn(maxWait: 0)
    }

    @Test("many names are looked up a part at a time") func many() {
        for number in 0..<150 { server.set("n\(number).test", v4: .addresses(["127.0.0.1"], ttl: 60)) }
        let all = (0..<150).map { watch(settings("n\($0).test:80", family: .v4)) }
        #expect(resolver.runningCount == 64)
        #expect(turn { all.allSatisfy { $0.last == ["127.0.0.1:80"] } })
        #expect(resolver.runningCount == 0)
    }
}

/// A cluster's endpoints, and the lists that it was told.
private final class Watched {
    private(set) var lists: [[String]] = []
    private(set) var isUnresolved = false
    private(set) var set: EndpointSet?

    init(_ settings: ClusterSettings, _ resolver: Resolver) {
        let set = EndpointSet("app", settings, resolver: resolver) { [unowned self] in self.take($0) }
        self.set = set
        take(set.list)
        set.begin()
    }

    private func take(_ list: EndpointList) {
        lists.append(list.entries.map(\.name.text))
        isUnresolved = list.isUnresolved
    }

    var last: [String] { lists.last ?? [] }
}
