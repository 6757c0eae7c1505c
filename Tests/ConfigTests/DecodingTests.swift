import FilterAPI
import Synchronization
import Testing

@testable import Config

@Suite("Decoding settings") struct DecodingTests {
    @Test("a file with everything is read") func everything() throws {
        let value = try #require(read(Sample.self, MutationTests.good).decoded).value
        #expect(value.workers == 2)
        #expect(value.drainTimeout == .seconds(30))
        #expect(value.sampling == 0.5)
        let listener = try #require(value.listeners["inbound"])
        #expect(listener.bind == ["127.0.0.1:0"])
        #expect(listener.http.maxHead == .kibibytes(60))
        #expect(listener.http.idleTimeout == .seconds(3600))
        let route = try #require(listener.router?.routes.first)
        #expect(route.match.host == "*.example.org")
        #expect(route.methods == [.get, .post])
        #expect(route.setHeaders == ["x-a": "one", "x-b": "two"])
        #expect(value.listeners["second"]?.bind == ["127.0.0.1:1", "127.0.0.1:2"])
        let endpoints = try #require(value.clusters["app"]).endpoints
        #expect(endpoints.map(\.address) == ["127.0.0.1:8080", "db.internal:80", "db.internal:81"])
        #expect(endpoints.map(\.weight) == [1, 2, 3])
    }

    @Test("what the file does not have keeps its default; a nested struct the one of its owner") func defaults() throws
    {
        let text = "listeners: { a: { bind: ':1', http: { max_http_heads: 5 }, router: { routes: [{ to: x }] } } }"
        let listener = try #require(read(Sample.self, text).decoded?.value.listeners["a"])
        #expect(listener.http.maxHTTPHeads == 5)
        #expect(listener.http.maxHead == .kibibytes(32))
        #expect(listener.router?.routes[0].timeout == .seconds(15))
        #expect(listener.router?.routes[0].match.prefix == "/")
    }

    @Test(
        "names become keys in snake case, and keys stay what they are",
        arguments: [
            ("to", "to"), ("cacheTTL", "cache_ttl"), ("maxHTTPHeads", "max_http_heads"), ("sha256", "sha256"),
            ("http2Streams", "http2_streams"), ("URL", "url"), ("idle_timeout", "idle_timeout"),
            ("x-api-key", "x-api-key"),
            ("accept_http_10", "accept_http_10"), ("aB", "a_b"), ("perTryTimeout", "per_try_timeout"),
        ])
    func names(name: String, expected: String) {
        #expect(KeyNames.fileName(of: name) == expected)
        #expect(KeyNames.fileName(of: expected) == expected)
    }

    @Test(
        "durations",
        arguments: [
            ("250ms", Duration.milliseconds(250)), ("5s", .seconds(5)), ("1m30s", .seconds(90)), ("1h", .seconds(3600)),
            ("0s", .zero), ("0", .zero), ("1h1m1s1ms", .milliseconds(3_661_001)), ("876600h", .seconds(3_155_760_000)),
        ])
    func durations(text: String, expected: Duration) {
        #expect(DurationText.read(text) == .value(expected))
        #expect(DurationText.read(DurationText.write(expected)) == .value(expected))
    }

    @Test(
        "texts that are no durations",
        arguments: [
            "", "s", "5", "5x", "1h30", "30s1m", "1s1s", "1.5s", "5 s", "5S", "0x5s", "\u{0665}s", "1e3s", "inf",
        ])
    func noDurations(text: String) {
        guard case .malformed = DurationText.read(text) else {
            Issue.record("\(text) was read")
            return
        }
    }

    @Test("durations that are not accepted", arguments: ["-1s", "876601h", "99999999999999999999h", "876600h1ms"])
    func refusedDurations(text: String) {
        guard case .outOfRange = DurationText.read(text) else {
            Issue.record("\(text) was not refused")
            return
        }
    }

    @Test(
        "sizes",
        arguments: [
            ("512B", 512), ("64KiB", 65_536), ("1MiB", 1 << 20), ("2GiB", 2 << 30), ("1KB", 1_000),
            ("10MB", 10_000_000),
            ("1GB", 1_000_000_000), ("0", 0),
        ])
    func sizes(text: String, expected: Int) {
        #expect(SizeText.read(text) == .value(expected))
        #expect(SizeText.read(SizeText.write(expected)) == .value(expected))
    }

    @Test(
        "percentages are numbers with or without the sign",
        arguments: [("20%", 200_000), ("20", 200_000), ("0", 0), ("0.5%", 5_000), ("100%", 1_000_000), ("0.0001", 1)])
    func percentages(text: String, expected: Int) {
        #expect(PercentText.read(text) == .value(expected))
        #expect(PercentText.read(PercentText.write(expected)) == .value(expected))
    }

    struct Numbers: SettingsStruct {
        var int = 0
        var small: Int8 = 0
        var unsigned: UInt64 = 0
        var float: Float = 0
        var double = 0.0
        var text = ""
        var flag: Bool?
    }

    @Test("numbers in all forms of YAML 1.2; a number or boolean may be text") func numbers() throws {
        let text =
            "int: -12\nsmall: 0x1F\nunsigned: 18446744073709551615\nfloat: 1e3\ndouble: .5\ntext: 8080\nflag: true"
        let value = try #require(read(Numbers.self, text).decoded).value
        #expect(value.int == -12 && value.small == 31 && value.unsigned == .max)
        #expect(value.float == 1000 && value.double == 0.5 && value.text == "8080" && value.flag == true)
        #expect(read(Numbers.self, "int: 0o17\nflag: null\ntext: yes").decoded?.value.int == 15)
    }

    @Test(
        "what is no number is refused",
        arguments: [
            "int: '5'", "int: 1_000", "int: 1.0", "int: 0b1", "small: 128", "unsigned: -1", "float: .nan",
            "double: .inf",
            "double: 1e999", "int: 99999999999999999999", "int: ''", "int: 0x", "double: 0x1p3", "int: +", "flag: 1",
        ])
    func noNumbers(text: String) {
        #expect(read(Numbers.self, text).diagnostics.sorted.count == 1)
    }

    @Test("short forms: a scalar for a struct, one scalar for a list of them") func shorthands() {
        let text = "listeners: { a: { bind: ':1', router: app } }\nclusters: { app: { endpoints: 127.0.0.1:80 } }"
        let decoded = read(Sample.self, text).decoded
        #expect(decoded?.value.listeners["a"]?.router?.to == "app")
        #expect(decoded?.value.clusters["app"]?.endpoints.map(\.address) == ["127.0.0.1:80"])
        #expect(decoded?.clusterUses.first?.place?.range.column == 39)
        let one = read(Sample.self, "clusters: { app: { endpoints: { address: 127.0.0.1:81 } } }").decoded
        #expect(one?.value.clusters["app"]?.endpoints.map(\.address) == ["127.0.0.1:81"])
        let other = read(Sample.self, "clusters: { app: { endpoints: { a: 127.0.0.1:81 } } }").diagnostics
        #expect(brief(other) == ["SL0104 1:20 expected a list, found a mapping (begin each element with `- `)"])
        let refused = read(Sample.self, "clusters: { app: { endpoints: nonsense } }").diagnostics
        #expect(
            brief(refused) == [
                "SL0104 1:31 expected a list, found `nonsense` (begin each element with `- `)"
            ])
    }

    @Test("clusters that are used come with their places") func clusters() {
        let uses = read(Sample.self, MutationTests.good).decoded?.clusterUses ?? []
        let places = uses.map { "\($0.cluster) \($0.place?.range.line ?? 0) \($0.place?.path.description ?? "")" }
        #expect(
            places.sorted() == [
                "app 23 listeners.inbound.router.routes[0].to", "app 31 listeners.inbound.router.routes[1].to",
                "app 36 listeners.second.router.to",
            ])
        #expect(uses.allSatisfy { $0.node?.text == "app" })
    }

    @Test("a part of the file can be kept as it is, to be decoded later") func raw() throws {
        let text = "listeners: { a: { bind: ':1', filters: [count, { http: { max_head: 10 } }] } }"
        let decoded = try #require(read(Sample.self, text).decoded)
        let kept = decoded.value.listeners["a"]?.filters[1].node?["http"]
        let diagnostics = Diagnostics(file: "x")
        #expect(SettingsDecoder().decode(Sample.HTTP.self, from: kept, into: diagnostics) == nil)
        #expect(
            brief(diagnostics) == [
                "SL0107 1:68 expected a size such as `64KiB`, found `10` (write `10B`)"
            ])
    }

    @Test("a route keeps the settings of other filters") func rawRouteSettings() throws {
        func route(_ filters: String) -> (decoded: Decoded<Sample.Route>?, diagnostics: Diagnostics) {
            read(Sample.Route.self, "to: a\nfilters: \(filters)")
        }
        let node = try #require(route("{ gzip: { level: 1 } }").decoded?.value.filters.node as? Node)
        #expect(node["gzip"]?["level"]?.path == "filters.gzip.level")
        #expect(
            brief(route("[gzip]").diagnostics) == [
                "SL0104 2:1 expected a mapping of filters to their settings, found a list"
            ])
    }

    @Test("a type that is known only at run time is decoded") func existential() throws {
        func decode<Settings: SettingsStruct>(_ type: Settings.Type, _ node: Node?) -> (any SettingsStruct)? {
            SettingsDecoder().decode(type, from: node, into: Diagnostics(file: "x"))?.value
        }
        let types: [any SettingsStruct.Type] = [Sample.HTTP.self, NoSettings.self]
        let (root, _) = tree("server_header: x")
        #expect((decode(types[0], root) as? Sample.HTTP)?.serverHeader == "x")
        #expect(decode(types[1], nil) is NoSettings)
        #expect(decode(types[1], root) == nil)
    }

    @Test("without a node there are the defaults, and their findings stand where the caller says") func noNode() {
        let diagnostics = Diagnostics(file: "x")
        let place = Place(range: SourceRange(line: 7, column: 3, width: 4), path: .root)
        #expect(SettingsDecoder().decode(Sample.HTTP.self, from: nil, into: diagnostics) != nil)
        #expect(SettingsDecoder().decode(Sample.Router.self, from: nil, at: place, into: diagnostics) == nil)
        #expect(brief(diagnostics) == ["SL0111 7:3 needs `to` or `routes`"])
    }

    struct Inner: SettingsStruct {
        var name = ""
        func validate(_ check: inout SettingsCheck) { if name.isEmpty { check.error("name", "a name is needed") } }
    }

    struct Outer: SettingsStruct {
        var inner = Inner()
        var other = 1
    }

    @Test("nested settings that the file does not mention are checked too") func nestedDefaults() {
        #expect(brief(read(Outer.self, "other: 2").diagnostics) == ["SL0111 1:1 a name is needed"])
        let path = read(Outer.self, "other: 2").diagnostics.sorted.first?.place?.path.description
        #expect(path == "inner.name")
    }

    struct Plain: Codable {
        var name: String
        var size: Int?
    }

    enum Choice: Codable {
        case left(Plain)
        case right(Int)
    }

    struct WithPlain: SettingsStruct {
        var plain: [Plain] = []
        var set: Set<Int> = []
        var choice: Choice?
        var other = Choice.right(1)
        var level = Level.low
        enum Level: Int, Codable { case low = 1, high = 2 }
    }

    @Test("plain Codable types work as well") func plainTypes() {
        let text = "plain: [{ name: a, size: 2 }]\nset: [1, 2]\nother: { left: { _0: { name: x } } }\nlevel: 2"
        let value = read(WithPlain.self, text).decoded?.value
        #expect(value?.plain.first?.size == 2)
        #expect(value?.set == [1, 2])
        #expect(value?.level == .high)
        guard case .left(let plain)? = value?.other else {
            Issue.record("not left")
            return
        }
        #expect(plain.name == "x")
    }

    @Test("plain Codable types say what they miss and what they do not know") func plainErrors() {
        let text = "plain: [{ size: 2 }, { name: b, sise: 1 }]\nset: [x]\nlevel: 3"
        let diagnostics = read(WithPlain.self, text).diagnostics
        #expect(diagnostics.sorted.map(\.code) == [.unknownKey, .wrongType, .missingKey, .refusedValue])
    }

    struct Counted: SettingsStruct {
        static let encodings = Atomic<Int>(0)
        var number = 1
        init() {}
        func encode(to encoder: any Encoder) throws {
            Counted.encodings.add(1, ordering: .relaxed)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(number, forKey: .number)
        }
        enum CodingKeys: CodingKey { case number }
    }

    struct ManyCounted: SettingsStruct { var all: [Counted] = [] }

    @Test("a type's keys are learned once, not for each element") func learnedOnce() {
        let text = "all:\n" + String(repeating: "  - { number: 2 }\n", count: 500)
        #expect(read(ManyCounted.self, text).decoded?.value.all.count == 500)
        #expect(Counted.encodings.load(ordering: .relaxed) == 1)
    }

    @Test("settings in force are shown with defaults and without secrets") func dump() throws {
        let text = "workers: ${N}\nlisteners: { a: { bind: [':1', '${B}'], filters: [x] } }"
        let diagnostics = Diagnostics(file: "x")
        let environment = Environment(["N": "3", "B": ":hush"])
        let root = try #require(
            Document.parse(Array(text.utf8), name: "x", into: diagnostics, environment: environment)?.root)
        let decoded = try #require(SettingsDecoder().decode(Sample.self, from: root, into: diagnostics))
        let json = SettingsTree(decoded.value, from: root).json
        #expect(
            json.hasPrefix(
                #"{"workers":"${N}","drain_timeout":"30s","log":{"level":"info","format":"text"},"max_connections":0,"#)
        )
        #expect(json.contains(#""bind":[":1","${B}"],"http":{"max_head":"32KiB","max_http_heads":100"#))
        #expect(json.contains(#""router":null,"filters":["x"]"#))
    }
}
