import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("B3") struct B3Tests {
    private static let trace: String = "80f198ee56343ba864fe8b2a57d3eff7"
    private static let short: String = "64fe8b2a57d3eff7"
    private static let span: String = "e457b5a2e4d86bd1"
    private static let parent: String = "05e3ac9a4f6e3b90"
    private let bench = TraceBench()

    // MARK: One field

    @Test(
        "a valid b3 is gone on with, and written as well",
        arguments: [
            ("\(trace)-\(span)-1-\(parent)", trace, "1"), ("\(trace)-\(span)-1", trace, "1"),
            ("\(trace)-\(span)-0", trace, "0"), ("\(trace)-\(span)-d", trace, "d"),
            ("\(trace)-\(span)-d-\(parent)", trace, "d"), ("\(trace)-\(span)", trace, "1"),
            ("\(short)-\(span)-0-\(parent)", short, "0"), ("\(short)-\(span)", short, "1"),
        ])
    func single(text: String, trace: String, letter: String) throws {
        let outcome = try bench.ask(["b3": text])
        let context = try #require(outcome.context)
        #expect(outcome.field("b3") == "\(trace)-\(hex(context.span))-\(letter)-\(Self.span)")
        let whole = String(repeating: "0", count: 32 - trace.count) + trace
        #expect(outcome.field("traceparent") == "00-\(whole)-\(hex(context.span))-\(letter == "0" ? "00" : "01")")
        #expect(outcome.names == ["b3", "traceparent"])
        #expect(context.flags.contains(.debug) == (letter == "d"))
        #expect(bench.count("continued_b3_single") == 1)
    }

    @Test("a decision without a trace is for the one that begins here", arguments: ["0", "1", "d"])
    func decision(letter: String) throws {
        let outcome = try bench.ask(["b3": letter], "sample: 0%")
        let context = try #require(outcome.context)
        #expect(outcome.field("b3") == "\(hex(context.trace))-\(hex(context.span))-\(letter)")
        #expect(context.isSampled == (letter != "0") && context.parent == 0)
        #expect(bench.counts == ["created": 1, letter == "0" ? "not_traceable" : "client_enabled": 1])
    }

    @Test(
        "a malformed b3 begins a new trace",
        arguments: [
            "", "-", "2", "D", "true", "01", "-1", trace, "\(trace)-", "\(trace)-\(span)-", "\(trace)-1",
            "\(trace)-\(span)-2", "\(trace)-\(span)-true", "\(trace)-\(span)-1-", "\(trace)-\(span)-1-\(parent)-",
            "\(trace)-\(span)-1-\(parent)0", "\(trace)-\(span)-\(parent)", "\(trace)-\(span)--\(parent)",
            "\(trace)-\(span)_1", "\(trace)-\(span)-1_\(parent)", "\(trace)_\(span)-1", "\(trace.dropLast())-\(span)-1",
            "\(trace)0-\(span)-1", "\(short)00-\(span)-1", "\(trace)-\(span.dropLast())-1", "\(trace)-\(span)0-1",
            "\(trace.uppercased())-\(span)-1", "\(trace)-\(span.uppercased())-1",
            "\(trace)-\(span)-1-\(parent.uppercased())", "\(trace)-\(span)-1-\(parent.dropLast())x",
            "\(String(repeating: "0", count: 32))-\(span)-1", "\(String(repeating: "0", count: 16))-\(span)-1",
            "\(trace)-\(String(repeating: "0", count: 16))-1", "\(trace)-\(span)-1,\(trace)-\(span)-1",
            String(repeating: "-", count: 68), String(repeating: "a", count: 68),
        ])
    func malformedSingle(text: String) throws {
        let outcome = try bench.ask(["b3": text])
        let context = try #require(outcome.context)
        #expect(context.parent == 0)
        #expect(outcome.field("b3") == "\(hex(context.trace))-\(hex(context.span))-1")
        #expect(bench.counts == ["created": 1, "random_sampling": 1, "invalid_b3_single": 1])
    }

    @Test("several b3 are as good as none")
    func repeatedSingle() throws {
        let text = "\(Self.trace)-\(Self.span)-1"
        #expect(try bench.ask(["b3": text, "B3": text]).context?.parent == 0)
        #expect(bench.count("invalid_b3_single") == 1)
    }

    // MARK: Several fields

    @Test("valid fields are gone on with, and written as well", arguments: [trace, short])
    func fields(trace: String) throws {
        let decisions: [(String, String, String?, String?, String)] = [
            ("x-b3-sampled", "1", "1", nil, "01"), ("x-b3-sampled", "0", "0", nil, "00"),
            ("X-B3-Sampled", "true", "1", nil, "01"), ("x-b3-sampled", "false", "0", nil, "00"),
            ("x-b3-flags", "1", nil, "1", "01"), ("x-b3-flags", "0", "1", nil, "01"), ("x-other", "", "1", nil, "01"),
        ]
        for (name, value, sampled, debug, flags) in decisions {
            let outcome = try bench.ask([
                "X-B3-TraceId": trace, "X-B3-SpanId": Self.span, "X-B3-ParentSpanId": Self.parent, name: value,
            ])
            let context = try #require(outcome.context)
            #expect(outcome.field("x-b3-traceid") == trace)
            #expect(outcome.field("x-b3-spanid") == hex(context.span))
            #expect(outcome.field("x-b3-parentspanid") == Self.span)
            #expect(outcome.field("x-b3-sampled") == sampled)
            #expect(outcome.field("x-b3-flags") == debug)
            let whole = String(repeating: "0", count: 32 - trace.count) + trace
            #expect(outcome.field("traceparent") == "00-\(whole)-\(hex(context.span))-\(flags)")
        }
        #expect(bench.count("continued_b3") == UInt64(decisions.count))
        #expect(bench.count("created") == 0)
    }

    @Test("the debug flag wins over a decision")
    func debug() throws {
        let outcome = try bench.ask([
            "x-b3-traceid": Self.trace, "x-b3-spanid": Self.span, "x-b3-sampled": "0", "x-b3-flags": "1",
        ])
        #expect(outcome.context?.flags == [.sampled, .debug])
    }

    @Test("a decision alone is for the trace that begins here")
    func decisionAlone() throws {
        for (name, value, isSampled) in [
            ("x-b3-sampled", "0", false), ("x-b3-sampled", "1", true), ("x-b3-flags", "1", true),
        ] {
            let outcome = try bench.ask([name: value], isSampled ? "sample: 0%" : "{}")
            let context = try #require(outcome.context)
            #expect(context.isSampled == isSampled && context.parent == 0)
            #expect(outcome.field("x-b3-traceid") == hex(context.trace))
            #expect(outcome.field("x-b3-parentspanid") == nil)
        }
        #expect(bench.counts == ["created": 3, "client_enabled": 2, "not_traceable": 1])
    }

    @Test("malformed fields begin a new trace")
    func malformedFields() throws {
        let zero = String(repeating: "0", count: 16)
        let cases: [KeyValuePairs<String, String>] = [
            ["x-b3-traceid": Self.trace], ["x-b3-spanid": Self.span], ["x-b3-parentspanid": Self.parent],
            ["x-b3-parentspanid": Self.parent, "x-b3-sampled": "1"], ["x-b3-traceid": Self.trace, "x-b3-sampled": "1"],
            ["x-b3-traceid": "", "x-b3-spanid": Self.span], ["x-b3-traceid": Self.trace, "x-b3-spanid": ""],
            ["x-b3-traceid": zero, "x-b3-spanid": Self.span], ["x-b3-traceid": zero + zero, "x-b3-spanid": Self.span],
            ["x-b3-traceid": Self.trace, "x-b3-spanid": zero], ["x-b3-traceid": Self.trace, "x-b3-spanid": Self.trace],
            ["x-b3-traceid": Self.trace.uppercased(), "x-b3-spanid": Self.span],
            ["x-b3-traceid": Self.trace, "x-b3-spanid": Self.span.uppercased()],
            ["x-b3-traceid": Self.trace + "0", "x-b3-spanid": Self.span],
            ["x-b3-traceid": Self.trace, "x-b3-spanid": Self.span, "x-b3-parentspanid": "x"],
            ["x-b3-traceid": Self.trace, "x-b3-spanid": Self.span, "x-b3-sampled": "2"],
            ["x-b3-traceid": Self.trace, "x-b3-spanid": Self.span, "x-b3-sampled": ""],
            ["x-b3-traceid": Self.trace, "x-b3-spanid": Self.span, "x-b3-flags": "2"],
            ["x-b3-traceid": Self.trace, "x-b3-spanid": Self.span, "x-b3-flags": ""],
            ["x-b3-sampled": "d"], ["x-b3-flags": "true"], ["x-b3-sampled": "1", "X-B3-Sampled": "1"],
            ["x-b3-traceid": Self.trace, "X-B3-TraceId": Self.trace, "x-b3-spanid": Self.span],
            ["x-b3-traceid": Self.trace, "X-B3-SpanId": Self.span, "x-b3-spanid": Self.span],
            [
                "x-b3-traceid": Self.trace, "x-b3-spanid": Self.span, "x-b3-parentspanid": Self.parent,
                "X-B3-ParentSpanId": Self.parent,
            ],
            ["x-b3-traceid": Self.trace, "x-b3-spanid": Self.span, "x-b3-flags": "0", "X-B3-Flags": "0"],
        ]
        for fields in cases {
            let outcome = try bench.ask(fields)
            let context = try #require(outcome.context)
            #expect(context.parent == 0, "\(fields)")
            #expect(outcome.field("x-b3-traceid") == hex(context.trace), "\(fields)")
            #expect(outcome.field("x-b3-spanid") == hex(context.span), "\(fields)")
            #expect(outcome.field("x-b3-sampled") == "1", "\(fields)")
            #expect(outcome.names == ["traceparent", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled"], "\(fields)")
        }
        let all = UInt64(cases.count)
        #expect(bench.counts == ["created": all, "random_sampling": all, "invalid_b3": all])
    }
}
