import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("traceparent") struct TraceParentTests {
    private static let trace: String = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let span: String = "00f067aa0ba902b7"
    private let bench = TraceBench()

    @Test(
        "a valid one is gone on with, by a span of our own below that of the sender",
        arguments: [
            ("00", "01", "", "01"), ("00", "00", "", "00"), ("00", "02", "", "02"), ("00", "03", "", "03"),
            // Flags without a meaning are not passed on.
            ("00", "ff", "", "03"), ("00", "fd", "", "01"), ("00", "0c", "", "00"),
            // What a version to come says is read as far as it is known, and written as the one that is known.
            ("01", "01", "", "01"), ("cc", "01", "-what-the-future-will-be-like", "01"), ("fe", "00", "-", "00"),
            ("01", "03", "-" + String(repeating: "x", count: 500), "03"),
        ])
    func valid(version: String, flags: String, rest: String, passed: String) throws {
        let outcome = try bench.ask(["traceparent": "\(version)-\(Self.trace)-\(Self.span)-\(flags)\(rest)"])
        let context = try #require(outcome.context)
        let parts = try #require(outcome.field("traceparent")).parts
        #expect(parts == ["00", Self.trace, hex(context.span), passed])
        #expect(hex(context.trace) == Self.trace && hex(context.parent) == Self.span)
        #expect(context.span != 0 && context.span != context.parent)
        #expect(context.isSampled == ((UInt8(passed) ?? 0) & 1 == 1))
        #expect(outcome.names == ["traceparent"])
        #expect(bench.counts == ["continued_w3c": 1, context.isSampled ? "client_enabled" : "not_traceable": 1])
    }

    static let malformed: [String] = [
        "", "-", "00", "00-", "---", "00-\(trace)-\(span)", "00-\(trace)-\(span)-", "00-\(trace)-\(span)-1",
        // Something behind the end, which this version has not.
        "00-\(trace)-\(span)-01-", "00-\(trace)-\(span)-01-what", "00-\(trace)-\(span)-01.", "00-\(trace)-\(span)-011",
        "01-\(trace)-\(span)-01.what", "cc-\(trace)-\(span)-01what", "01-\(trace)-\(span)-0",
        // No version, and others than two digits in lower case.
        "ff-\(trace)-\(span)-01", "ff-\(trace)-\(span)-01-x", "0-\(trace)-\(span)-01", "000-\(trace)-\(span)-01",
        "0x-\(trace)-\(span)-01", "FF-\(trace)-\(span)-01", "0A-\(trace)-\(span)-01", ".0-\(trace)-\(span)-01",
        "\(trace)-\(span)-01",
        // Identifiers that are none.
        "00-\(String(repeating: "0", count: 32))-\(span)-01", "00-\(trace)-\(String(repeating: "0", count: 16))-01",
        "00-\(trace.dropLast())-\(span)-01", "00-\(trace)0-\(span)-01", "00-\(trace)-\(span.dropLast())-01",
        "00-\(trace)-\(span)0-01", "00-\(trace.uppercased())-\(span)-01", "00-\(trace)-\(span.uppercased())-01",
        "00-\(trace.dropLast())g-\(span)-01", "00-.\(trace.dropFirst())-\(span)-01",
        "00-\(trace)-\(span.dropLast())_-01",
        "00-\(trace.dropLast()) -\(span)-01", "00-\(span)-\(span)-01", "00-\(trace)-\(trace)-01",
        // Flags that are none.
        "00-\(trace)-\(span)-0g", "00-\(trace)-\(span)-.1", "00-\(trace)-\(span)-0A", "00-\(trace)-\(span)- 1",
        // Other bytes between the parts, and two values in one field.
        "00_\(trace)-\(span)-01", "00-\(trace)_\(span)-01", "00-\(trace)-\(span)_01", "00 \(trace) \(span) 01",
        "00-\(trace)-\(span)-01,00-\(trace)-\(span)-01", "\"00-\(trace)-\(span)-01\"", "00-\(trace)-\(span)-01\u{e9}",
    ]

    @Test("a malformed one begins a new trace, and takes tracestate with it", arguments: malformed)
    func refused(text: String) throws {
        let outcome = try bench.ask(["traceparent": text, "tracestate": "a=1"])
        let context = try #require(outcome.context)
        #expect(outcome.field("traceparent") == "00-\(hex(context.trace))-\(hex(context.span))-03")
        #expect(context.parent == 0 && hex(context.trace) != Self.trace)
        #expect(outcome.names == ["traceparent"])
        #expect(bench.counts == ["created": 1, "random_sampling": 1, "invalid_w3c": 1])
    }

    @Test("several of them are as good as none, the same ones too")
    func repeated() throws {
        let text = "00-\(Self.trace)-\(Self.span)-01"
        for second in [text, "00-\(Self.trace)-\(Self.span)-00", ""] {
            let outcome = try bench.ask(["traceparent": text, "TraceParent": second, "tracestate": "a=1"])
            #expect(outcome.below.values("traceparent").count == 1)
            #expect(outcome.context?.parent == 0)
            #expect(outcome.names == ["traceparent"])
        }
        #expect(bench.count("invalid_w3c") == 3 && bench.count("created") == 3)
    }

    @Test("the name counts in any case, and is written in lower case where it is new")
    func names() throws {
        let outcome = try bench.ask(["TRACEPARENT": "00-\(Self.trace)-\(Self.span)-01"])
        #expect(outcome.field("traceparent")?.parts[1] == Self.trace)
        let fresh = try bench.ask()
        #expect(fresh.below.fields.contains { $0.name == "traceparent" })
    }

    @Test("tracestate without traceparent is of no trace")
    func stateAlone() throws {
        #expect(try bench.ask(["tracestate": "a=1"]).names == ["traceparent"])
        #expect(bench.counts == ["created": 1, "random_sampling": 1])
    }
}
