import Config
import Engine
import FilterAPI
import Testing

@testable import Host

@Suite("Cluster settings") struct ClusterSettingsTests {
    private func read(_ text: String) -> (settings: ClusterSettings?, findings: [String]) {
        let diagnostics = Diagnostics(file: "sluice.yaml")
        let document = Document.parse(Array(text.utf8), name: "sluice.yaml", into: diagnostics)
        let decoded = document.flatMap {
            SettingsDecoder().decode(ClusterSettings.self, from: $0.root, into: diagnostics)
        }
        let findings = diagnostics.sorted.map { item in
            "\(item.place?.range.line ?? 0):\(item.place?.range.column ?? 0) \(item.message)"
        }
        return (decoded?.value, findings)
    }

    @Test("a list of addresses is enough") func short() throws {
        let read = read("endpoints: [ '127.0.0.1:80', 'app.internal:8080' ]")
        #expect(read.findings == [])
        let settings = try #require(read.settings)
        #expect(settings.endpoints.map(\.address) == ["127.0.0.1:80", "app.internal:8080"])
        #expect(settings.endpoints.map(\.weight) == [1, 1])
        #expect(settings.endpoints.map(\.priority) == [0, 0])
        #expect(settings.balance == .roundRobin)
        #expect(settings.maglevTableSize == 65_537)
        #expect(settings.ewmaDecay == .seconds(10))
        #expect(settings.panicThreshold == .percent(50))
        #expect(settings.minServing == .zero)
        #expect(settings.slowStart == nil)
        #expect(settings.connectTimeout == .seconds(5))
        #expect(settings.idleTimeout == .seconds(3600))
        #expect(settings.maxConnections == 1024)
        #expect(settings.maxPending == 1024)
        #expect(settings.maxRequestsPerConnection == 0)
    }

    @Test("everything can be set") func long() throws {
        let read = read(
            """
            endpoints:
              - { address: "10.0.0.1:80", weight: 3 }
              - { address: "unix:@app", priority: 127 }
            balance: least_request
            maglev_table_size: 257
            ewma_decay: 1s
            panic_threshold: 0
            min_serving: 33.5%
            slow_start: { aggression: 2.5, min_weight: 1% }
            connect_timeout: 250ms
            idle_timeout: 0
            max_connections: 1
            max_pending: 2
            max_requests_per_connection: 100
            dns: { family: v6, refresh: 10s, timeout: 1s }
            chain: [ tls ]
            http: { anything: 1 }
            """)
        #expect(read.findings == [])
        let settings = try #require(read.settings)
        #expect(settings.endpoints.map(\.weight) == [3, 1])
        #expect(settings.endpoints.map(\.priority) == [0, 127])
        #expect(settings.balance == .leastRequest)
        #expect(settings.maglevTableSize == 257)
        #expect(settings.ewmaDecay == .seconds(1))
        #expect(settings.panicThreshold == .zero)
        #expect(settings.minServing == Percent(millionths: 335_000))
        let slowStart = try #require(settings.slowStart)
        #expect(slowStart.window == .seconds(30))
        #expect(slowStart.aggression == 2.5)
        #expect(slowStart.minWeight == .percent(1))
        #expect(settings.idleTimeout == .zero)
        #expect(settings.dns.family == .v6)
        #expect(settings.dns.refresh == .seconds(10))
        #expect(settings.chain.node != nil && settings.http.node != nil)
    }

    @Test("every wrong value is reported where it stands, in one run") func wrong() {
        let read = read(
            """
            endpoints:
              - 10.0.0.1
              - { address: "10.0.0.2:80", weight: 0 }
              - { weight: 2 }
              - "10.0.0.3:80"
              - "10.0.0.3:80"
              - { address: "10.0.0.4:80", priority: 128 }
            maglev_table_size: 65536
            ewma_decay: 0
            slow_start: { window: 0, aggression: 0, min_weight: 0.5% }
            connect_timeout: 0
            max_connections: 0
            max_pending: 0
            max_requests_per_connection: -1
            dns: { refresh: 10ms, timeout: 2m }
            """)
        #expect(read.settings == nil)
        #expect(
            read.findings == [
                "2:5 '10.0.0.1' has no port: expected for example '10.0.0.1:80'",
                "3:39 must be between 1 and 1000",
                "4:7 an endpoint needs an `address`",
                "6:5 `10.0.0.3:80` is listed twice",
                "7:41 must be between 0 and 127",
                "8:20 must be a prime of at most 5000011",
                "9:13 must be between 1ms and 1h",
                "10:23 must be between 100ms and 1h",
                "10:38 must be between 0.1 and 100",
                "10:53 must be at least 1%",
                "11:18 must be more than 0",
                "12:18 must be at least 1",
                "13:14 must be at least 1, for the request that connects waits too",
                "14:30 must not be negative",
                "15:17 must be at least 100ms",
                "15:32 must be between 100ms and 60s",
            ])
    }

    @Test("a cluster without endpoints is refused", arguments: ["balance: random", "endpoints: []"])
    func none(text: String) {
        #expect(read(text).findings.map { $0.drop { $0 != " " } } == [" a cluster needs endpoints"])
    }

    @Test("an unknown policy is refused, and the words that there are are listed") func policy() {
        let read = read("{ endpoints: [ 'a:1' ], balance: round-robin }")
        #expect(read.findings.count == 1)
        #expect(read.settings == nil)
    }

    @Test(
        "the aggression of a slow start is a number that leads somewhere",
        arguments: [(".nan", false), (".inf", false), ("-1", false), ("0.1", true), ("100", true)])
    func aggression(text: String, isGood: Bool) {
        let read = read("{ endpoints: [ 'a:1' ], slow_start: { aggression: \(text) } }")
        #expect((read.settings != nil) == isGood, "\(read.findings)")
    }

    @Test("a huge number of slots is refused at once") func hugeTable() {
        #expect(read("{ endpoints: [ 'a:1' ], maglev_table_size: 9223372036854775783 }").findings.count == 1)
    }

    // MARK: Addresses

    @Test(
        "addresses and names are told apart",
        arguments: [
            ("1.2.3.4:80", true), ("[::1]:80", true), ("unix:/run/a.sock", true), ("unix:@a", true),
            ("localhost:80", false), ("App.Internal:1", false), ("app.ns.svc.cluster.local.:65535", false),
            ("1and1.example:80", false), ("_x-1:80", false),
        ])
    func addresses(text: String, isFixed: Bool) throws {
        switch try EndpointAddress.parse(text) {
        case .fixed(let address):
            #expect(isFixed)
            #expect(address.description == text)
        case .name(let name, let port):
            #expect(!isFixed)
            #expect("\(name):\(port)" == text.lowercased())
        }
    }

    @Test(
        "what is no address is refused with a word on why",
        arguments: [
            ("", "no port"), ("app", "no port"), ("1.2.3.4", "no port"), ("[::1]", "no port"),
            ("app:", "port is missing"),
            (":80", "no host"), ("app:0", "port 0"), ("1.2.3.4:0", "port 0"), ("[::1]:0", "port 0"),
            ("app:http", "not a number"), ("app:99999", "out of range"), ("::1:80", "brackets"),
            ("1.2.3.400:80", "not an IPv4 address"), ("1.2.3:80", "not an IPv4 address"),
            ("[::g]:80", "not an IPv6 address"), ("http://app:80", "without a scheme"), ("app:80/x", "path"),
            ("a..b:80", "parts of 1 to 63"), ("a b:80", "letters"), ("bücher.example:80", "letters"),
            ("unix:", "path is empty"),
        ])
    func badAddresses(text: String, word: String) {
        let error = #expect(throws: AddressError.self) { try EndpointAddress.parse(text) }
        #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
    }

    @Test(
        "name servers",
        arguments: [
            ("10.0.0.2", "10.0.0.2:53"), ("127.0.0.1:5353", "127.0.0.1:5353"), ("::1", "[::1]:53"),
            ("[::1]", "[::1]:53"), ("[fd00::1]:5353", "[fd00::1]:5353"),
        ])
    func nameServers(text: String, list: String) throws {
        #expect(try NameServers([text]).list == list)
    }

    @Test("what is no name server is refused", arguments: ["", ":53", "dns.internal", "10.0.0.2:0", "unix:/x"])
    func badNameServers(text: String) {
        #expect(throws: AddressError.self) { try NameServers([text]) }
    }
}
