import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("tracestate") struct TraceStateTests {
    private static let parent: String = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    private let bench = TraceBench()

    /// What becomes of these fields; nil where none goes on.
    private func pass(_ fields: String...) throws -> String? {
        let filter = try bench.worker.make(Trace.self)
        var request = RequestHead.fake(fields: ["traceparent": Self.parent])
        for field in fields { request.headers.add(.tracestate, field) }
        let stream = FakeStream(filter, request)
        stream.requestHead(last: true)
        defer { stream.close() }
        #expect(stream.below.values("traceparent").first?.parts[1] == "4bf92f3577b34da6a3ce929d0e0e4736")
        let values = stream.below.values("tracestate")
        #expect(values.count <= 1)
        return values.first
    }

    private static let key256 = "a" + String(repeating: "b", count: 255)
    private static let value256 = String(repeating: "v", count: 256)

    @Test(
        "what is valid goes on as it is",
        arguments: [
            "a=1", "foo=1,bar=2", "foo=1 , bar=2", "foo=1\t,\t bar=2", "foo=1,", ",foo=1,,bar=2", "a= 1", "a=b c",
            "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "0a=1", "fw529a3039@dt=FfffffAAAA", "a@b@c=1",
            "a-_*/@z09=1", "a=!\"#$%&'()*+-./:;<>?@[\\]^_`{|}~", "\(key256)=1", "a=\(value256)", "a=1,a=2",
            "t" + String(repeating: "x", count: 241) + "@v=1",
            (1...32).map { "k\($0)=\($0)" }.joined(separator: ","),
        ])
    func valid(text: String) throws {
        #expect(try pass(text) == printable(text.utf8))
        #expect(bench.count("tracestate_dropped") == 0)
    }

    @Test(
        "what is malformed does not go on, and the trace does",
        arguments: [
            "a", "=", "=1", "a=", "a==1", "a=1=2", "foo =1", "foo\t=1", "A=1", "Foo=1", "foo.bar=1", "foo=1,bar",
            "foo=1,=2", "foo=1;bar=2", "-a=1", "_a=1", "@a=1", "*=1", "a b=1", "a=\u{e9}", "\u{e9}=1", "a=1\t2",
            "\(key256)b=1", "a=\(value256)v", (1...33).map { "k\($0)=\($0)" }.joined(separator: ","),
        ])
    func malformed(text: String) throws {
        #expect(try pass(text) == nil)
        #expect(try pass("ok=1", text) == nil)
        #expect(bench.count("tracestate_dropped") == 2)
        #expect(bench.count("continued_w3c") == 2)
    }

    @Test("a list without members does not go on, and is no fault", arguments: ["", ",", " , ,", ",,,,"])
    func empty(text: String) throws {
        #expect(try pass(text) == nil)
        #expect(try pass(text, text) == nil)
        #expect(try pass(text, "a=1", text) == "a=1")
        #expect(bench.count("tracestate_dropped") == 0)
    }

    @Test("several fields are one list, in their order")
    func several() throws {
        #expect(try pass("a=1", "b=2,c=3", "d=4") == "a=1,b=2,c=3,d=4")
        #expect(try pass("a=1,", ", b=2\t", "") == "a=1,b=2")
        let many = (1...32).map { "k\($0)=\($0)" }
        #expect(
            try pass(many[..<20].joined(separator: ","), many[20...].joined(separator: ","))
                == many.joined(separator: ","))
        #expect(bench.count("tracestate_dropped") == 0)
        #expect(try pass(many.joined(separator: ","), "x=1") == nil)
        #expect(bench.count("tracestate_dropped") == 1)
    }

    @Test("a list of 512 bytes goes on as a whole; from a longer one long members go, then the last ones")
    func long() throws {
        func member(_ name: String, _ count: Int) -> String { "\(name)=" + String(repeating: "x", count: count - 2) }
        let whole = [member("a", 200), member("b", 200), member("c", 110)].joined(separator: ",")
        #expect(whole.utf8.count == 512)
        #expect(try pass(whole) == whole)
        #expect(bench.count("tracestate_dropped") == 0)
        // Blanks do not count against the list.
        #expect(try pass(whole.replacing(",", with: " ,  ")) == whole)
        #expect(bench.count("tracestate_dropped") == 0)
        // A member of 129 bytes is a long one, and one of 128 is not.
        #expect(
            try pass(member("a", 129), member("b", 128), whole)
                == [member("b", 128), member("c", 110)].joined(separator: ","))
        let short = (0..<5).map { member("\($0)", 128) }
        #expect(try pass(short.joined(separator: ",")) == short[..<3].joined(separator: ","))
        #expect(try pass(member("a", 256), member("b", 256)) == nil)
        #expect(bench.count("tracestate_dropped") == 3)
    }
}
