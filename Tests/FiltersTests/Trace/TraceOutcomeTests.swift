import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("What leaves the filter trace") struct TraceOutcomeTests {
    private static let trace: String = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let other: String = "80f198ee56343ba864fe8b2a57d3eff7"
    private static let span: String = "00f067aa0ba902b7"
    private static let parent: String = "00-\(trace)-\(span)-01"
    private let bench = TraceBench()

    @Test("whatever comes in, what goes out is one valid trace in each format that is there")
    func anything() throws {
        let filters = try ["{}", "trust: false", "propagate: [b3, b3_single]"].map {
            try bench.worker.make(Trace.self, config: $0)
        }
        let b3 = "\(Self.other)-\(Self.span)-1-\(Self.span)"
        let good: [(HeaderName, String)] = [
            (.traceparent, Self.parent), (.tracestate, "a=1, b@c=2"),
            (.tracestate, String(repeating: "x=y,", count: 30)),
            (.b3, b3), (.b3, "d"), (.xB3Traceid, Self.trace), (.xB3Spanid, Self.span), (.xB3Parentspanid, Self.span),
            (.xB3Sampled, "1"), (.xB3Flags, "1"), (.traceparent, "01-\(Self.other)-\(Self.span)-ff-x"),
        ]
        var random = SmallGenerator(seed: 7)
        for turn in 0..<6000 {
            let stream = FakeStream(filters[turn % 3])
            for (name, value) in good where Int.random(in: 0..<3, using: &random) == 0 {
                var bytes = Array(value.utf8)
                if Bool.random(using: &random) { mutate(&bytes, &random) }
                unsafe stream.request.headers.add(name, bytes.span.bytes)
            }
            stream.requestHead(last: true)
            let context = try #require(stream.facts.trace)
            expectWhole(stream.request.headers, context)
            stream.close()
        }
    }

    private func mutate(_ bytes: inout [UInt8], _ random: inout SmallGenerator) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[index] = UInt8.random(in: 0x20...0x7E, using: &random)
        case 1: bytes.remove(at: index)
        case 2: bytes.insert(UInt8.random(in: 0x80...0xFF, using: &random), at: index)
        default: bytes += bytes
        }
    }

    private func expectWhole(_ headers: borrowing Headers, _ context: TraceContext) {
        let readings = [TraceParent.read(headers), B3Single.read(headers), B3Fields.read(headers)]
        var isThere = false
        for reading in readings where reading != .absent {
            guard case .valid(let claim) = reading else {
                Issue.record("\(reading)")
                continue
            }
            isThere = true
            #expect(claim.trace == context.trace && claim.span == context.span)
            #expect(claim.isSampled == context.isSampled)
        }
        #expect(isThere && !context.trace.isZero && context.span != 0 && context.span != context.parent)
        let states = headers.values(.tracestate)
        #expect(states.count <= 1 && states.allSatisfy { !$0.isEmpty && $0.utf8.count <= 512 })
        let isNamed = headers.contains(.traceparent)
        #expect(states.isEmpty || isNamed)
    }
}
