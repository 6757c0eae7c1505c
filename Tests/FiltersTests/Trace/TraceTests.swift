import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("The filter trace") struct TraceTests {
    private static let trace: String = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let other: String = "80f198ee56343ba864fe8b2a57d3eff7"
    private static let span: String = "00f067aa0ba902b7"
    private static let parent: String = "00-\(trace)-\(span)-01"
    private let bench = TraceBench()

    @Test("a request without a trace begins one, with identifiers that no other has")
    func begin() throws {
        let filter = try bench.worker.make(Trace.self)
        var seen: Set<UInt64> = []
        for _ in 0..<1000 {
            let outcome = bench.ask(filter)
            let context = try #require(outcome.context)
            #expect(outcome.field("traceparent") == "00-\(hex(context.trace))-\(hex(context.span))-03")
            #expect(outcome.names == ["traceparent"])
            #expect(context.parent == 0 && context.flags == [.sampled, .random])
            for number in [context.trace.high, context.trace.low, context.span] { seen.insert(number) }
        }
        #expect(seen.count == 3000)
        #expect(bench.counts == ["created": 1000, "random_sampling": 1000])
    }

    @Test("two workers draw different numbers")
    func workers() throws {
        let one = try bench.ask().context
        #expect(try bench.ask().context != one)
    }

    // MARK: Formats

    @Test("the upstream is told in all formats that are asked for")
    func propagate() throws {
        let outcome = try bench.ask([:], "propagate: [b3, b3_single, w3c]")
        let context = try #require(outcome.context)
        #expect(outcome.field("traceparent") == "00-\(hex(context.trace))-\(hex(context.span))-03")
        #expect(outcome.field("b3") == "\(hex(context.trace))-\(hex(context.span))-1")
        #expect(outcome.field("x-b3-traceid") == hex(context.trace))
        #expect(outcome.field("x-b3-spanid") == hex(context.span))
        #expect(outcome.field("x-b3-sampled") == "1")
        #expect(outcome.names == ["traceparent", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled"])
        #expect(try bench.ask([:], "propagate: [b3_single]").names == ["b3"])
    }

    @Test("the format that came in is written too, and the upstream never sees two traces")
    func cameIn() throws {
        let outcome = try bench.ask(
            [
                "traceparent": Self.parent, "tracestate": "a=1", "b3": "\(Self.other)-\(Self.span)-0",
                "x-b3-traceid": Self.other, "x-b3-spanid": Self.span, "x-b3-sampled": "0",
            ], "propagate: [b3]")
        let context = try #require(outcome.context)
        let own = hex(context.span)
        #expect(outcome.field("traceparent") == "00-\(Self.trace)-\(own)-01")
        #expect(outcome.field("tracestate") == "a=1")
        #expect(outcome.field("b3") == "\(Self.trace)-\(own)-1-\(Self.span)")
        #expect(outcome.field("x-b3-traceid") == Self.trace)
        #expect(outcome.field("x-b3-spanid") == own)
        #expect(outcome.field("x-b3-parentspanid") == Self.span)
        #expect(outcome.field("x-b3-sampled") == "1")
        #expect(bench.counts == ["continued_w3c": 1, "client_enabled": 1])
    }

    @Test("W3C comes first, then b3, then x-b3-…; what is not valid is passed over")
    func order() throws {
        let b3 = "\(Self.other)-\(Self.span)-1"
        let fields = "64fe8b2a57d3eff7"
        let first = try bench.ask(["x-b3-traceid": fields, "x-b3-spanid": Self.span, "b3": b3, "traceparent": "x"])
        #expect(first.context.map { hex($0.trace) } == Self.other)
        let second = try bench.ask(["x-b3-traceid": fields, "x-b3-spanid": Self.span, "b3": "x", "traceparent": "x"])
        #expect(second.context?.trace == TraceID(high: 0, low: 0x64FE_8B2A_57D3_EFF7))
        #expect(
            bench.counts == [
                "continued_b3_single": 1, "continued_b3": 1, "invalid_w3c": 2, "invalid_b3_single": 1,
                "random_sampling": 1, "client_enabled": 1,
            ])
    }

    @Test("fields of other names are left alone")
    func others() throws {
        let outcome = try bench.ask(["x-trace": "1", "baggage": "a=1", "x-request-id": "7", "traceparents": "2"])
        #expect(outcome.field("x-trace") == "1" && outcome.field("baggage") == "a=1")
        #expect(outcome.field("x-request-id") == "7" && outcome.field("traceparents") == "2")
    }

    // MARK: Decisions

    @Test("of the traces that begin here as many are recorded as was said, by their identifiers")
    func sample() throws {
        for (share, range) in [("0%", 0...0), ("100%", 4000...4000), ("25%", 850...1150), ("0.1%", 0...20)] {
            let filter = try bench.worker.make(Trace.self, config: "sample: \(share)")
            let limit = share == "25%" ? UInt64(1) << 62 : nil
            var sampled = 0
            for _ in 0..<4000 {
                let outcome = bench.ask(filter)
                let context = try #require(outcome.context)
                if context.isSampled { sampled += 1 }
                if let limit { #expect(context.isSampled == (context.trace.low < limit)) }
                #expect(outcome.field("traceparent")?.parts.last == (context.isSampled ? "03" : "02"))
            }
            #expect(range.contains(sampled), "\(sampled) of 4000 by \(share)")
        }
        #expect(bench.count("random_sampling") + bench.count("not_traceable") == 16_000)
    }

    @Test("what the client has decided stays; what it leaves open follows from the trace, always the same way")
    func decided() throws {
        #expect(try bench.ask(["traceparent": Self.parent], "sample: 0%").context?.isSampled == true)
        let not = ["traceparent": "00-\(Self.trace)-\(Self.span)-00"] as KeyValuePairs
        #expect(try bench.ask(not).context?.isSampled == false)
        for _ in 0..<20 {
            for (low, isSampled) in [
                ("3fffffffffffffff", true), ("4000000000000001", false), ("ffffffffffffffff", false),
            ] {
                let open = try bench.ask(["b3": "0000000000000001\(low)-\(Self.span)"], "sample: 25%")
                #expect(open.context?.isSampled == isSampled)
            }
        }
        #expect(bench.count("random_sampling") == 20 && bench.count("client_enabled") == 1)
    }

    // MARK: Trust

    @Test("a client that is not trusted decides nothing, in any format")
    func untrusted() throws {
        for sample in ["0%", "100%"] {
            let outcome = try bench.ask(
                [
                    "traceparent": Self.parent, "tracestate": "a=1", "b3": "d", "x-b3-flags": "1", "x-b3-sampled": "0",
                ], "trust: false\nsample: \(sample)")
            let context = try #require(outcome.context)
            #expect(hex(context.trace) != Self.trace && context.parent == 0)
            #expect(context.isSampled == (sample == "100%") && !context.flags.contains(.debug))
            #expect(outcome.names == ["traceparent"])
        }
        #expect(try bench.ask([:], "trust: false").names == ["traceparent"])
        #expect(bench.counts == ["created": 3, "untrusted": 2, "random_sampling": 2, "not_traceable": 1])
    }

    @Test("a client that is not trusted begins no reading of what it sends", arguments: TraceParentTests.malformed)
    func untrustedMalformed(text: String) throws {
        _ = try bench.ask(["traceparent": text], "trust: false")
        #expect(bench.counts == ["created": 1, "untrusted": 1, "random_sampling": 1])
    }

    // MARK: Clients, logs, settings

    @Test("the client is told the trace where it is to be told, in place of what the upstream says")
    func response() throws {
        let filter = try bench.worker.make(Trace.self, config: "response_header: x-trace-id")
        let stream = FakeStream(filter, .fake(fields: ["b3": "64fe8b2a57d3eff7-\(Self.span)"]))
        stream.requestHead(last: true)
        stream.responseHead(200, ["X-Trace-Id": "other"], last: true)
        #expect(stream.above.values("x-trace-id") == ["000000000000000064fe8b2a57d3eff7"])
        stream.close()
        #expect(filter.activeInterest == .heads)
        #expect(try bench.worker.make(Trace.self).activeInterest == .requestHead)
    }

    @Test("variables say the trace and the span, with all their digits; nothing where there is none")
    func variables() throws {
        func render(_ facts: StreamFacts) throws -> String {
            var text = ByteText()
            try TextFormat.parse("[%TRACE_ID% %SPAN_ID%]").render(
                into: &text, request: .fake(), facts: facts, connection: ConnectionFacts(),
                at: FormatMoment(now: Instant(nanoseconds: 1)), unset: "-")
            return ASCII.string(text.bytes)
        }
        var facts = StreamFacts()
        #expect(try render(facts) == "[- -]")
        facts.trace = TraceContext(trace: TraceID(high: 0xA, low: 0xFEDC_BA98_7654_3210), span: 1)
        #expect(try render(facts) == "[000000000000000afedcba9876543210 0000000000000001]")
    }

    @Test(
        "what cannot work is refused",
        arguments: [
            ("propagate: []", "must name a format at least"), ("propagate: [w3c, b3, w3c]", "`w3c` is there already"),
            ("propagate: [jaeger]", "`jaeger` is not accepted"), ("sample: 101%", "100"),
            ("response_header: a b", "cannot be the name of a header field"),
            ("response_header: ''", "cannot be the name"),
        ])
    func refused(config: String, message: String) {
        let error = #expect(throws: ConfigurationFault.self) {
            _ = try FakeWorker().make(Trace.self, config: config)
        }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test("every counter is described, and every description is of a counter")
    func counters() throws {
        _ = try bench.worker.make(Trace.self)
        #expect(bench.worker.counterNames == Trace.manifest.stats.map { "trace.\($0.name)" }.sorted())
    }
}
