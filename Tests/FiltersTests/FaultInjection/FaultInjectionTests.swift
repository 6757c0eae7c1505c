import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("The fault filter") struct FaultInjectionTests {
    private let worker = FakeWorker()
    private let app = FactName("app")

    private func count(_ name: String) -> UInt64 { worker.value(of: "fault.\(name)") }

    private func begin(
        _ filter: FaultInjection, _ fields: KeyValuePairs<String, String> = [:],
        own: FaultInjection.RouteSettings? = nil
    ) -> FakeStream<FaultInjection> {
        let stream = FakeStream(filter, .fake(fields: fields))
        stream.routeSettings = own
        stream.requestHead(last: true)
        stream.clusterAttached(app)
        return stream
    }

    @Test("a delayed request is held for its time, and goes on")
    func delay() throws {
        let stream = begin(try worker.make(FaultInjection.self, config: "delay: { fixed: 100ms }"))
        #expect(stream.isHeldAtCluster)
        stream.advance(by: .milliseconds(99))
        stream.settle()
        #expect(stream.isHeldAtCluster)
        stream.advance(by: .milliseconds(1))
        stream.settle()
        #expect(!stream.isHeldAtCluster && stream.reply == nil && stream.fault == nil)
        #expect(stream.facts.flags == .delayInjected)
        #expect("\(stream.facts.reason)" == "fault.delay")
        #expect(count("delays_injected") == 1 && count("aborts_injected") == 0)
        stream.close()
    }

    @Test("an aborted request is answered at once")
    func abort() throws {
        let stream = begin(try worker.make(FaultInjection.self, config: "abort: { status: 418 }"))
        #expect(stream.reply == RecordedReply(status: 418, body: "fault injected\n"))
        #expect(stream.facts.flags == .faultInjected)
        #expect("\(stream.facts.reason)" == "fault.abort")
        #expect(count("aborts_injected") == 1)
        stream.close()
    }

    @Test("an abort waits for the delay of the same request")
    func both() throws {
        let stream = begin(try worker.make(FaultInjection.self, config: "delay: { fixed: 1s }\nabort: {}"))
        #expect(stream.isHeldAtCluster && stream.reply == nil)
        stream.advance(by: .seconds(1))
        stream.settle()
        #expect(stream.reply?.status == 503 && stream.fault == nil)
        #expect(stream.facts.flags == [.delayInjected, .faultInjected])
        stream.close()
    }

    @Test("a client of gRPC gets the status that is meant for it, others do not")
    func grpc() throws {
        let filter = try worker.make(FaultInjection.self, config: "abort: { status: 429, grpc_status: 8 }")
        for (type, status) in [("application/grpc", "8"), ("text/plain", nil)] as [(String, String?)] {
            let stream = begin(filter, ["content-type": type])
            #expect(stream.reply?.fields.first { $0.name.lowercased() == "grpc-status" }?.value == status)
            stream.close()
        }
    }

    @Test("only requests that pass all tests of fields are picked, as they were when they came")
    func headers() throws {
        let filter = try worker.make(
            FaultInjection.self, config: "abort: {}\nheaders: { x-test: \"1\", x-user: { prefix: a } }")
        for (fields, isPicked) in [
            (["x-test": "1", "x-user": "ab"], true), (["x-test": "1"], false), (["x-test": "2", "x-user": "a"], false),
            ([:], false),
        ] as [(KeyValuePairs<String, String>, Bool)] {
            let stream = FakeStream(filter, .fake(fields: fields))
            stream.requestHead(last: true)
            stream.request.headers.remove(try #require(HeaderName("x-test")))
            stream.clusterAttached(app)
            #expect((stream.reply != nil) == isPicked)
            stream.close()
        }
    }

    @Test("requests ask for faults by fields, which go no further")
    func byHeader() throws {
        let filter = try worker.make(FaultInjection.self, config: "by_header: true")
        let fields: KeyValuePairs = ["x-envoy-fault-delay-request": "20", "x-envoy-fault-abort-request": "500"]
        let stream = begin(filter, fields)
        #expect(stream.below.fields.allSatisfy { !$0.name.lowercased().hasPrefix("x-envoy-fault") })
        #expect(stream.isHeldAtCluster)
        stream.advance(by: .milliseconds(20))
        #expect(stream.reply?.status == 500)
        stream.close()
        let plain = begin(filter)
        #expect(plain.reply == nil && !plain.isHeldAtCluster)
        plain.close()
        let deaf = begin(try worker.make(FaultInjection.self), fields)
        #expect(deaf.reply == nil && deaf.below.values("x-envoy-fault-abort-request") == ["500"])
        deaf.close()
    }

    @Test("no more requests are delayed at once than may, over all workers, and whoever ends makes room")
    func maxActive() throws {
        let filters = try (0..<2).map { index in
            worker.index = index
            return try worker.make(FaultInjection.self, config: "delay: { fixed: 1s }\nabort: {}\nmax_active: 2")
        }
        let streams = (0..<3).map { begin(filters[$0 % 2]) }
        #expect(streams.map(\.isHeldAtCluster) == [true, true, false])
        // It goes on as if there were no filter.
        #expect(streams[2].reply == nil)
        #expect(count("faults_overflow") == 1)
        streams[0].close(.fault(Fault(.clientGone, "test")))
        let next = begin(filters[0])
        #expect(next.isHeldAtCluster)
        streams[1].advance(by: .seconds(1))
        let last = begin(filters[0])
        #expect(last.isHeldAtCluster)
        let over = begin(filters[0])
        #expect(!over.isHeldAtCluster)
        for stream in [streams[1], streams[2], next, last, over] { stream.close() }
    }

    @Test("a further try of a request below has no fault of its own")
    func replay() throws {
        let stream = begin(try worker.make(FaultInjection.self, config: "delay: { fixed: 1s }"))
        stream.advance(by: .seconds(1))
        stream.settle()
        stream.clusterAttached(app)
        #expect(!stream.isHeldAtCluster)
        #expect(count("delays_injected") == 1)
        stream.close()
    }

    @Test("a route may have other faults, or none")
    func routes() throws {
        let filter = try worker.make(FaultInjection.self, config: "abort: {}\nheaders: { x-test: \"1\" }")
        var off = FaultInjection.RouteSettings()
        off.enabled = false
        var other = FaultInjection.RouteSettings()
        other.abort = FaultInjection.AbortSettings()
        other.abort?.status = 504
        var all = other
        all.headers = [:]
        // What routes set stays as long as the filter.
        var streams: [FakeStream<FaultInjection>] = []
        for (own, fields, status) in [
            (off, ["x-test": "1"], nil), (other, ["x-test": "1"], 504), (other, [:], nil), (all, [:], 504),
            (nil, ["x-test": "1"], 503),
        ] as [(FaultInjection.RouteSettings?, KeyValuePairs<String, String>, Int?)] {
            let stream = begin(filter, fields, own: own)
            streams.append(stream)
            #expect(stream.reply?.status == status)
            stream.close()
        }
    }

    @Test("the head is not asked for where it has nothing to say")
    func interest() throws {
        for (config, needsHead) in [("abort: {}", false), ("by_header: true", true), ("headers: { a: b }", true)] {
            let filter = try worker.make(FaultInjection.self, config: config)
            #expect(filter.activeInterest.contains(.requestHead) == needsHead)
        }
    }

    @Test("about as many requests are picked as the share says")
    func share() throws {
        let filter = try worker.make(FaultInjection.self, config: "abort: { percentage: 20% }")
        for _ in 0..<5_000 { begin(filter).close() }
        // Six times the deviation of a fair draw.
        #expect((830...1170).contains(count("aborts_injected")))
    }

    @Test(
        "settings that cannot work are refused",
        arguments: [
            ("delay: {}", "is missing"), ("delay: { fixed: 0 }", "must be more than 0"),
            ("delay: { fixed: 2h }", "1h at most"), ("abort: { status: 100 }", "must be between 200 and 599"),
            ("abort: { grpc_status: 17 }", "must be between 1 and 16"), ("max_active: -1", "must not be negative"),
            ("max_delay: 2h", "must be between 0 and 1h"), ("headers: { \"a b\": x }", "cannot be the name"),
            ("headers: { a: { regex: \"(\" } }", "the expression cannot be used"),
        ])
    func refused(config: String, message: String) {
        let error = #expect(throws: ConfigurationFault.self) {
            try worker.make(FaultInjection.self, config: config)
        }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }
}
