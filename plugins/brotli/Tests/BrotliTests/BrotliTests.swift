import FilterAPI
import FilterTesting
import Testing

@testable import brotli

@Suite("The filter brotli") struct BrotliTests {
    private let worker = FakeWorker()
    private let html: KeyValuePairs = ["content-type": "text/html", "etag": "\"a\""]
    private let text = String(repeating: "abcdefgh ", count: 500)

    private func stream(
        _ accepts: String?, _ edit: (inout Brotli.Settings) -> Void = { _ in }
    ) throws -> FakeStream<Brotli> {
        var head = RequestHead.fake()
        if let accepts { head.headers.add(.acceptEncoding, accepts) }
        let stream = FakeStream(try worker.make(Brotli.self, edit), head)
        stream.requestHead(last: true)
        return stream
    }

    @Test("A response is compressed, and its fields say so")
    func compressed() throws {
        let stream = try stream("gzip, br")
        stream.responseHead(200, html)
        stream.responseBody(text, last: true)
        #expect(stream.above.values("content-encoding") == ["br"])
        #expect(stream.above.values("vary") == ["Accept-Encoding"])
        #expect(stream.above.values("etag") == ["W/\"a\""])
        #expect(stream.above.isComplete && !stream.above.body.isEmpty && stream.above.body.count < 100)
        stream.close()
        #expect(worker.value(of: "brotli.compressed") == 1)
        #expect(worker.value(of: "brotli.total_uncompressed_bytes") == UInt64(text.utf8.count))
    }

    @Test(
        "A client that does not accept it gets the body as it is",
        arguments: [nil, "gzip", "br;q=0", "identity, br;q=0.1"])
    func notAccepted(accepts: String?) throws {
        let stream = try stream(accepts)
        stream.responseHead(200, html)
        stream.responseBody(text, last: true)
        #expect(stream.above.values("content-encoding") == [] && stream.above.text == text)
        #expect(stream.above.values("vary") == ["Accept-Encoding"])
        stream.close()
    }

    @Test(
        "What must not be changed is not",
        arguments: [
            ["content-type": "text/html", "content-encoding": "gzip"], ["content-type": "image/png"],
            ["content-type": "text/html", "cache-control": "private, no-transform"],
            ["content-type": "application/grpc"], ["content-type": "text/html", "content-range": "bytes 0-9/10"],
            ["content-type": "text/html", "content-length": "255"],
        ] as [KeyValuePairs<String, String>])
    func left(fields: KeyValuePairs<String, String>) throws {
        let stream = try stream("br")
        stream.responseHead(200, fields)
        stream.responseBody("x", last: true)
        #expect(stream.above.text == "x")
        stream.close()
    }

    @Test("What a source has sent comes out as soon as it pauses")
    func paused() throws {
        let stream = try stream("br")
        stream.responseHead(200, html)
        stream.responseBody("hello")
        #expect(stream.above.body.isEmpty)
        stream.advance(by: .milliseconds(1))
        #expect(!stream.above.body.isEmpty && !stream.above.isComplete)
        stream.responseTrailers(["x-a": "1"])
        #expect(stream.above.isComplete)
        stream.close()
    }

    @Test("Over the limit bodies are left as they are, and a stream that ends early gives its place back")
    func places() throws {
        let first = try stream("br") { $0.maxBodies = 1 }
        first.responseHead(200, html)
        let second = try stream("br") { $0.maxBodies = 1 }
        second.responseHead(200, html)
        #expect(second.above.values("content-encoding") == [])
        second.close()
        first.close(.fault(Fault(.clientGone, "test.gone")))
        let third = try stream("br") { $0.maxBodies = 1 }
        third.responseHead(200, html)
        #expect(third.above.values("content-encoding") == ["br"])
        third.close()
        #expect(worker.value(of: "brotli.max_bodies_reached") == 1)
    }

    @Test("A route may leave its responses as they are")
    func route() throws {
        let stream = try stream("br")
        stream.routeSettings = Brotli.RouteSettings()
        stream.routeSettings?.enabled = false
        stream.responseHead(200, html)
        #expect(stream.above.values("content-encoding") == [])
        stream.close()
    }

    @Test(
        "Numbers out of range are refused",
        arguments: ["level: 12", "level: -1", "window_bits: 9", "max_bodies: 0", "content_types: [ html ]"])
    func settings(text: String) {
        #expect(throws: ConfigurationFault.self) { try worker.make(Brotli.self, config: "{ \(text) }") }
    }

    @Test("It keeps the rules of filters, where clients accept it and where they do not", arguments: ["br", "gzip"])
    func conformance(accepts: String) {
        let options = ConformanceOptions(config: "{ min_length: 1B }") {
            $0.requestFields = [RecordedField(name: "accept-encoding", value: accepts)]
            $0.responseFields = [RecordedField(name: "content-type", value: "text/html")]
            // What the bytes stand for is seen with a decoder of others, over the wire.
            if accepts == "br" { $0.changes = .responseBody }
        }
        #expect(Conformance.findings(Brotli.self, options) == [])
    }
}
