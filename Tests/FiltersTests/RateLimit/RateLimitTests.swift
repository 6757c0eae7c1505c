import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("The rate limit") struct RateLimitTests {
    private let worker = FakeWorker()
    private let app = FactName("app")
    private let keeper = Keeper()

    /// Keeps what routes set for as long as the filter, as the host does.
    private final class Keeper {
        var streams: [FakeStream<RateLimit>] = []
    }

    private func count(_ name: String) -> UInt64 { worker.value(of: "rate_limit.\(name)") }

    /// Shows a request of its own to a filter.
    ///
    /// - Returns: the answer; nil where the request may go on.
    private func ask(
        _ filter: RateLimit, _ fields: KeyValuePairs<String, String> = [:], from address: String = "192.0.2.7",
        on listener: String = "inbound", route: FactName? = nil, own: RateLimit.RouteSettings? = nil,
        after time: Duration = .zero
    ) -> RecordedReply? {
        let stream = FakeStream(filter, .fake(fields: fields))
        keeper.streams.append(stream)
        stream.connection.remoteIP = address
        stream.connection.listener = listener
        stream.routeSettings = own
        stream.advance(by: time)
        stream.requestHead(last: true)
        stream.clusterAttached(app, route: route)
        stream.close()
        return stream.reply
    }

    private func field(_ reply: RecordedReply?, _ name: String) -> String? {
        reply?.fields.first { $0.name.lowercased() == name }?.value
    }

    @Test("requests over the limit are answered, and told when to come back and which limit it was")
    func over() throws {
        let filter = try worker.make(RateLimit.self, config: "requests: 2\nper: 10s")
        #expect(ask(filter) == nil)
        #expect(ask(filter) == nil)
        let stream = FakeStream(filter)
        stream.connection.listener = "inbound"
        stream.requestHead(last: true)
        stream.clusterAttached(app)
        stream.close()
        #expect(stream.reply?.status == 429)
        #expect(stream.reply?.body == "the limit of 2 requests in 10s for this listener is reached\n")
        #expect(field(stream.reply, "retry-after") == "5")
        #expect(field(stream.reply, "ratelimit-limit") == "2")
        #expect(field(stream.reply, "ratelimit-remaining") == "0")
        #expect(field(stream.reply, "ratelimit-reset") == "10")
        #expect(stream.facts.flags == .rateLimited)
        #expect("\(stream.facts.reason)" == "rate_limit.over_limit")
        #expect(
            stream.facts.limit?.line
                == "the limit of 2 requests in 10s for this listener is reached, set at test.yaml:1:1 requests")
        #expect(count("ok") == 2 && count("rate_limited") == 1)
        #expect(ask(filter, after: .seconds(5)) == nil)
        #expect(ask(filter, after: .seconds(5)) != nil)
    }

    @Test("all workers have the same buckets, and so has the next generation with the same numbers")
    func shared() throws {
        let config = "requests: 4\nper: 1m"
        let filters = try (0..<2).map { index in
            worker.index = index
            return try worker.make(RateLimit.self, config: config)
        }
        #expect((0..<6).map { ask(filters[$0 % 2]) == nil } == [true, true, true, true, false, false])
        let next = try worker.make(RateLimit.self, config: config)
        #expect(ask(next) != nil)
        // Other numbers begin with full buckets.
        let other = try worker.make(RateLimit.self, config: "requests: 5\nper: 1m")
        #expect((0..<6).map { _ in ask(other) == nil } == [true, true, true, true, true, false])
    }

    @Test("listeners with a filter of the same name have buckets of their own")
    func listeners() throws {
        let filter = try worker.make(RateLimit.self, config: "requests: 1\nper: 1m")
        #expect(ask(filter, on: "one") == nil)
        #expect(ask(filter, on: "two") == nil)
        #expect(ask(filter, on: "one") != nil)
    }

    @Test("each route has a bucket, and those without a name have one together")
    func routes() throws {
        let filter = try worker.make(RateLimit.self, config: "requests: 1\nper: 1m\nby: route")
        let pay = FactName("pay")
        #expect(ask(filter, route: pay) == nil)
        #expect(ask(filter, route: FactName("search")) == nil)
        #expect(ask(filter, route: nil) == nil)
        // A reload gives a route a new object for its name.
        #expect(ask(filter, route: FactName("pay")) != nil)
        #expect(ask(filter, route: nil)?.body == "the limit of 1 request in 1m for this route is reached\n")
    }

    @Test("each client has a bucket: an IPv4 address, or a network of IPv6, or who a proxy says it is")
    func clients() throws {
        let filter = try worker.make(RateLimit.self, config: "requests: 1\nper: 1m\nby: client_address")
        #expect(ask(filter, from: "192.0.2.1") == nil)
        #expect(ask(filter, from: "192.0.2.1") != nil)
        #expect(ask(filter, from: "::ffff:192.0.2.1") != nil)
        #expect(ask(filter, from: "192.0.2.2") == nil)
        #expect(ask(filter, from: "2001:db8::1") == nil)
        #expect(ask(filter, from: "2001:db8::2") != nil)
        #expect(ask(filter, from: "2001:db8:0:1::1") == nil)
        // The other end of a Unix socket.
        #expect(ask(filter, from: "") == nil)
        #expect(ask(filter, from: "") != nil)
    }

    @Test("each value of a field has a bucket; requests without it pass, or have one together")
    func fields() throws {
        for (missing, passes) in [("allow", true), ("limit", false)] {
            let filter = try worker.make(
                RateLimit.self, config: "requests: 1\nper: 1m\nby: { header: x-\(missing) }\nmissing: \(missing)")
            #expect(ask(filter, ["x-\(missing)": "a"]) == nil)
            #expect(ask(filter, ["X-\(missing)": "a"]) != nil)
            #expect(ask(filter, ["x-\(missing)": "A"]) == nil)
            #expect(ask(filter, ["x-\(missing)": ""]) == nil)
            #expect(ask(filter) == nil)
            #expect((ask(filter) == nil) == passes)
        }
    }

    @Test("a filter below that changes the request does not change its bucket")
    func changedBelow() throws {
        let filter = try worker.make(RateLimit.self, config: "requests: 1\nper: 1m\nby: { header: x-key }")
        for (number, key) in ["a", "a", "b"].enumerated() {
            let stream = FakeStream(filter, .fake(fields: ["x-key": key]))
            stream.requestHead(last: true)
            stream.request.headers.set(try #require(HeaderName("x-key")), "changed")
            stream.clusterAttached(app)
            #expect((stream.reply != nil) == (number == 1))
            stream.close()
        }
    }

    @Test("a request must pass all rules, and one that does not takes nothing from the others")
    func rules() throws {
        let filter = try worker.make(
            RateLimit.self,
            config: "rules: [ { requests: 3, per: 1m }, { requests: 1, per: 1m, by: client_address } ]")
        #expect(ask(filter, from: "192.0.2.1") == nil)
        for _ in 0..<10 {
            let reply = ask(filter, from: "192.0.2.1")
            #expect(reply?.body == "the limit of 1 request in 1m for each client is reached\n")
        }
        #expect(ask(filter, from: "192.0.2.2") == nil)
        #expect(ask(filter, from: "192.0.2.3") == nil)
        #expect(ask(filter, from: "192.0.2.4")?.body.contains("for this listener") == true)
        #expect(count("ok") == 3 && count("rate_limited") == 11)
    }

    @Test("a further try of the same request is not a second request")
    func replay() throws {
        let filter = try worker.make(RateLimit.self, config: "requests: 1\nper: 1m")
        let stream = FakeStream(filter)
        stream.requestHead(last: true)
        stream.clusterAttached(app)
        stream.clusterAttached(app)
        #expect(stream.reply == nil)
        stream.close()
    }

    @Test("a route may limit its requests in its own way, or not at all")
    func ownRules() throws {
        let filter = try worker.make(RateLimit.self, config: "requests: 2\nper: 1m")
        let pay = FactName("pay")
        var off = RateLimit.RouteSettings()
        off.enabled = false
        for _ in 0..<5 { #expect(ask(filter, route: FactName("health"), own: off) == nil) }
        var own = RateLimit.RouteSettings()
        own.requests = 1
        own.per = .seconds(60)
        #expect(ask(filter, route: pay, own: own) == nil)
        let stream = FakeStream(filter)
        stream.connection.listener = "inbound"
        stream.routeSettings = own
        stream.requestHead(last: true)
        stream.clusterAttached(app, route: pay)
        #expect(stream.reply?.body == "the limit of 1 request in 1m for this route is reached\n")
        #expect(stream.facts.limit?.place == "route pay")
        stream.close()
        // The filter's own limit has lost nothing, and says nothing of them.
        #expect((0..<3).map { _ in ask(filter) == nil } == [true, true, false])
        var empty = RateLimit.RouteSettings()
        empty.enabled = true
        #expect(ask(filter, own: empty) != nil)
    }

    @Test("a limit of a route may be for each client")
    func ownKeys() throws {
        let filter = try worker.make(RateLimit.self)
        #expect(ask(filter) == nil)
        var own = RateLimit.RouteSettings()
        own.requests = 1
        own.per = .seconds(60)
        own.by = RateLimit.SubjectSettings(shorthand: "client_address")
        #expect(ask(filter, from: "192.0.2.1", own: own) == nil)
        #expect(ask(filter, from: "192.0.2.2", own: own) == nil)
        let reply = ask(filter, from: "192.0.2.1", own: own)
        #expect(reply?.body == "the limit of 1 request in 1m for each client on this route is reached\n")
    }

    @Test("where it is decided at the head, it is decided before the route is known")
    func head() throws {
        let filter = try worker.make(
            RateLimit.self,
            config: "decide: head\nrules: [ { requests: 2, per: 1m }, { requests: 1, per: 1m, by: route } ]")
        var off = RateLimit.RouteSettings()
        off.enabled = false
        #expect(ask(filter) == nil)
        #expect(count("ok") == 1)
        #expect(ask(filter, own: off) == nil)
        let stream = FakeStream(filter)
        stream.connection.listener = "inbound"
        stream.requestHead(last: true)
        #expect(stream.reply?.status == 429)
        stream.close()
    }

    @Test("answers tell of the limit as they are told to")
    func fieldUse() throws {
        for (use, prefix) in [
            ("always", "ratelimit"), ("always", "x-ratelimit"), ("on_limit", "x-ratelimit"), ("off", "ratelimit"),
        ] {
            let filter = try FakeWorker().make(
                RateLimit.self,
                config: """
                    rules: [ { requests: 10, per: 10s }, { requests: 5, per: 1m, burst: 2, by: client_address } ]
                    headers: \(use)
                    header_prefix: \(prefix)
                    """)
            let stream = FakeStream(filter)
            stream.connection.listener = "inbound"
            stream.requestHead(last: true)
            stream.clusterAttached(app)
            stream.responseHead(200, ["\(prefix)-limit": "7"], last: true)
            let told = ["limit", "remaining", "reset"].map { stream.above.values("\(prefix)-\($0)") }
            // The one with the fewest left, in place of what the upstream says.
            #expect(told == (use == "always" ? [["2"], ["1"], ["12"]] : [["7"], [], []]))
            stream.close()
            #expect(ask(filter) == nil)
            let reply = ask(filter)
            #expect(field(reply, "\(prefix)-limit") == (use == "off" ? nil : "2"))
            #expect(field(reply, "retry-after") == "12")
        }
    }

    @Test("events that no rule needs are not asked for")
    func interest() throws {
        for (config, events) in [
            ("requests: 1", [.requestHead]), ("{}", []), ("{ requests: 1, by: route }", []),
            ("{ requests: 1, by: route, headers: always }", [.responseHead]),
            ("rules: [ { requests: 1, by: route }, { requests: 1, by: client_address } ]", [.requestHead]),
        ] as [(String, Interest)] {
            let filter = try worker.make(RateLimit.self, config: config)
            #expect(filter.activeInterest == events.union([.lifetime, .clusterAttached]))
        }
    }

    @Test("status and body may be others")
    func answer() throws {
        let filter = try worker.make(RateLimit.self, config: "requests: 1\nper: 1m\nstatus: 503\nbody: slow down")
        #expect(ask(filter) == nil)
        let reply = ask(filter)
        #expect(reply?.status == 503 && reply?.body == "slow down")
    }

    @Test("buckets that had to go before their time are counted")
    func keysDropped() throws {
        let filter = try worker.make(RateLimit.self, config: "requests: 2\nper: 1h\nby: client_address\nmax_keys: 1")
        for number in 1...8 { #expect(ask(filter, from: "192.0.2.\(number)") == nil) }
        #expect(count("keys_dropped") == 0)
        #expect(ask(filter, from: "192.0.2.9") == nil)
        #expect(count("keys_dropped") == 1)
    }
}
