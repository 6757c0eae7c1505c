import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("Further tries and the filter trace") struct TraceTriesTests {
    private static let parent: String = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    private let bench = TraceBench()

    /// Shows a request to a filter as if it was tried before.
    private func again(_ filter: Trace, _ fields: KeyValuePairs<String, String>, after earlier: TraceContext?)
        -> TraceContext?
    {
        let stream = FakeStream(filter, .fake(fields: fields))
        stream.facts.trace = earlier
        stream.requestHead(last: true)
        defer { stream.close() }
        return stream.facts.trace
    }

    @Test("a further try has a span of its own, beside that of the first, and is not counted")
    func furtherTry() throws {
        let named: KeyValuePairs = ["traceparent": Self.parent, "tracestate": "!"]
        for (config, fields) in [("{}", named), ("{}", [:]), ("trust: false", named), ("trust: false", [:])] {
            let bench = TraceBench()
            let filter = try bench.worker.make(Trace.self, config: config)
            let first = try #require(again(filter, fields, after: nil))
            let counts = bench.counts
            let second = try #require(again(filter, fields, after: first))
            #expect(second.trace == first.trace && second.parent == first.parent && second.flags == first.flags)
            #expect(second.span != first.span)
            #expect(bench.counts == counts)
        }
    }

    @Test("a filter below another one goes on below its span, whomever it trusts")
    func two() throws {
        for config in ["{}", "trust: false\nsample: 0%"] {
            let above = bench.ask(try bench.worker.make(Trace.self), ["traceparent": Self.parent])
            let first = try #require(above.context)
            let below = try bench.worker.make(Trace.self, config: config)
            let field = try #require(above.field("traceparent"))
            let second = try #require(again(below, ["traceparent": field], after: first))
            #expect(second.trace == first.trace && second.parent == first.span && second.flags == first.flags)
            // The second try comes from the same place.
            let third = try #require(again(below, ["traceparent": field], after: second))
            #expect(third.trace == first.trace && third.parent == first.span && third.span != second.span)
        }
    }
}
