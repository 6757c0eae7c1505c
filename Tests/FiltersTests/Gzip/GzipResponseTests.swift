import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("The compression of responses")
struct GzipResponseTests {
    private let worker = FakeWorker()
    private let text = sampleText(100_000)

    private func count(_ name: String) -> UInt64 { worker.value(of: "gzip.\(name)") }

    private func stream(
        _ config: String = "{}", _ method: String = "GET", accept: String? = "gzip",
        fields: KeyValuePairs<String, String> = [:]
    ) throws -> FakeStream<Gzip> {
        let stream = FakeStream(try worker.make(Gzip.self, config: config), .fake(method, fields: fields))
        if let accept { stream.request.headers.add(.acceptEncoding, accept) }
        stream.requestHead(last: true)
        return stream
    }

    private func isCompressed(_ stream: FakeStream<Gzip>) -> Bool {
        stream.above.values("content-encoding") == ["gzip"]
    }

    // MARK: Bodies

    @Test(
        "a body comes out compressed, however it is cut, and reads as it was", arguments: [1, 3, 1000, 16_384, 100_000])
    func body(size: Int) throws {
        let stream = try stream()
        let text = size < 1000 ? sampleText(5000) : text
        stream.responseHead(200, ["content-type": "text/html; charset=utf-8", "content-length": "\(text.count)"])
        for start in stride(from: 0, to: text.count, by: size) {
            let end = min(start + size, text.count)
            stream.responseBody(bytes: Array(text[start..<end]), last: end == text.count)
        }
        stream.close()
        #expect(stream.fault == nil && stream.above.isComplete)
        #expect(stream.above.values("content-length") == [])
        #expect(
            stream.above.values("content-encoding") == ["gzip"] && stream.above.values("vary") == ["Accept-Encoding"])
        let result = Zlib.decompress(stream.above.body)
        #expect(result?.isComplete == true && result?.bytes == text)
        #expect(stream.above.body.count < text.count / 3)
        #expect(count("compressed") == 1 && count("not_compressed") == 0 && count("header_gzip") == 1)
        #expect(count("total_uncompressed_bytes") == UInt64(text.count))
        #expect(count("total_compressed_bytes") == UInt64(stream.above.body.count))
    }

    @Test("what does not compress comes out whole", arguments: [300, 4096, 70_000])
    func incompressible(size: Int) throws {
        let stream = try stream()
        stream.responseHead(200, ["content-type": "text/plain"])
        stream.responseBody(bytes: noise(size), last: true)
        stream.close()
        #expect(Zlib.decompress(stream.above.body)?.bytes == noise(size))
    }

    @Test("an end without bytes, and trailers, end the body")
    func ends() throws {
        let first = try stream()
        first.responseHead(200, ["content-type": "text/plain"])
        first.responseBody(bytes: text)
        first.responseBody(bytes: [], last: true)
        first.close()
        #expect(Zlib.decompress(first.above.body)?.bytes == text)
        let second = try stream()
        second.responseHead(200, ["content-type": "text/plain"])
        second.responseBody(bytes: text)
        second.responseTrailers(["x-sum": "1", "content-digest": "sha-256=:abc:"])
        second.close()
        #expect(Zlib.decompress(second.above.body)?.isComplete == true)
        #expect(second.above.trailers.map(\.name) == ["X-Sum"])
    }

    @Test("an empty body of unknown length becomes an empty one")
    func empty() throws {
        let stream = try stream()
        stream.responseHead(200, ["content-type": "text/plain"])
        stream.responseBody(bytes: [], last: true)
        stream.close()
        #expect(Zlib.decompress(stream.above.body)?.bytes == [] && isCompressed(stream))
    }

    @Test("each level, window and memory level gives the same text", arguments: [1, 2, 6, 9])
    func settings(level: Int) throws {
        for window in [9, 12, 15] {
            for memory in [1, 5, 9] {
                let stream = try stream("{ level: \(level), window_bits: \(window), memory_level: \(memory) }")
                stream.responseHead(200, ["content-type": "text/plain"])
                stream.responseBody(bytes: text, last: true)
                stream.close()
                #expect(Zlib.decompress(stream.above.body)?.bytes == text)
            }
        }
    }

    // MARK: Time

    @Test("what a source has sent before it pauses comes out, also after the first time")
    func pauses() throws {
        let stream = try stream()
        stream.responseHead(200, ["content-type": "text/plain"])
        var sent: [UInt8] = []
        for round in 0..<3 {
            sent += Array("line \(round)\n".utf8)
            stream.responseBody("line \(round)\n")
            stream.advance(by: .milliseconds(1))
            #expect(Zlib.decompress(stream.above.body)?.bytes == sent)
        }
        let before = stream.above.body.count
        stream.advance(by: .seconds(1))
        #expect(stream.above.body.count == before)
        stream.responseBody(bytes: [], last: true)
        stream.close()
        #expect(Zlib.decompress(stream.above.body)?.isComplete == true)
    }

    @Test("an event comes out with the call in which it came in, where events are compressed at all")
    func events() throws {
        let stream = try stream("content_types: [ text/event-stream ]")
        stream.responseHead(200, ["content-type": "text/event-stream;charset=utf-8"])
        stream.responseBody("data: 1\n\n")
        #expect(Zlib.decompress(stream.above.body)?.bytes == Array("data: 1\n\n".utf8))
        stream.responseBody(bytes: [], last: true)
        stream.close()
        for config in ["{}", "content_types: [ 'text/*', '*/*' ]"] {
            let other = try self.stream(config)
            other.responseHead(200, ["content-type": "text/event-stream"])
            other.close()
            #expect(!isCompressed(other) && other.above.values("vary") == [])
        }
    }

    @Test("a body of known length is not let out in between")
    func known() throws {
        let stream = try stream()
        stream.responseHead(200, ["content-type": "text/plain", "content-length": "1000"])
        stream.responseBody("abc")
        stream.advance(by: .seconds(1))
        #expect(Zlib.decompress(stream.above.body)?.bytes == [])
        stream.close(.fault(Fault(.upstreamClosed, "upstream.closed")))
    }

    // MARK: What is left alone

    @Test(
        "what must not or need not be compressed is left as it is, and without Vary",
        arguments: [
            (204, [:]),
            (200, ["content-type": "text/plain", "content-encoding": "gzip"]),
            (200, ["content-type": "text/plain", "content-encoding": "br"]),
            (200, ["content-type": "text/plain", "cache-control": "public, No-Transform"]),
            (200, ["content-type": "text/plain", "content-length": "255"]),
            (200, ["content-type": "image/png"]), (200, ["content-type": "text"]), (200, ["content-type": ""]),
            (200, [:]), (200, ["content-type": "application/grpc"]), (200, ["content-type": "application/grpc+proto"]),
        ] as [(Int, KeyValuePairs<String, String>)])
    func left(status: Int, fields: KeyValuePairs<String, String>) throws {
        let stream = try stream("content_types: [ text/plain, 'application/*' ]")
        #expect(stream.responseHead(Status(status), fields) == .leave)
        stream.responseBody(bytes: text, last: true)
        stream.close()
        #expect(stream.above.fields.map(\.value) == fields.map(\.value))
        #expect(stream.above.body == text && count("compressed") == 0 && count("not_compressed") == 1)
    }

    @Test(
        "ranges are left as they are, and say that the whole is not",
        arguments: [
            (206, ["content-type": "text/plain", "etag": "\"a\""]),
            (200, ["content-type": "text/plain", "content-range": "bytes 0-499/1000"]),
        ] as [(Int, KeyValuePairs<String, String>)])
    func ranges(status: Int, fields: KeyValuePairs<String, String>) throws {
        let stream = try stream()
        #expect(stream.responseHead(Status(status), fields) == .leave)
        stream.responseBody(bytes: text, last: true)
        stream.close()
        #expect(stream.above.fields.map(\.value) == fields.map(\.value) + ["Accept-Encoding"])
        #expect(stream.above.body == text)
    }

    @Test(
        "what a client does not accept is left as it is, and says that it depends on that",
        arguments: [
            (nil, "no_accept_header"), ("identity", "header_identity"), ("gzip;q=0", "header_identity"),
            ("gzip;q=x", "header_not_valid"),
        ])
    func notAccepted(accept: String?, counter: String) throws {
        let stream = try stream(accept: accept)
        stream.responseHead(200, ["content-type": "text/plain", "etag": "\"a\"", "content-length": "\(text.count)"])
        stream.responseBody(bytes: text, last: true)
        stream.close()
        #expect(stream.above.body == text && stream.above.values("vary") == ["Accept-Encoding"])
        #expect(stream.above.values("etag") == ["\"a\""] && stream.above.values("content-length") == ["100000"])
        #expect(count(counter) == 1)
    }

    @Test("HTTP/1.0, CONNECT, no-transform and a route can say no")
    func refused() throws {
        for make in 0..<4 {
            let fields: KeyValuePairs<String, String> = make == 2 ? ["cache-control": "no-transform"] : [:]
            let stream = FakeStream(try worker.make(Gzip.self), .fake(make == 1 ? "CONNECT" : "GET", fields: fields))
            stream.request.headers.add(.acceptEncoding, "gzip")
            if make == 0 { stream.request.version = .http10 }
            if make == 3 { stream.routeSettings = Gzip.RouteSettings() }
            if make == 3 { stream.routeSettings?.enabled = false }
            stream.requestHead(last: true)
            stream.responseHead(200, ["content-type": "text/plain"])
            stream.responseBody(bytes: text, last: true)
            stream.close()
            #expect(stream.above.body == text)
        }
    }

    @Test("a route has a level of its own")
    func routeLevel() throws {
        var sizes: [Int] = []
        let filter = try worker.make(Gzip.self)
        for level in [nil, 9, 1, nil] {
            let stream = FakeStream(filter, .fake(fields: ["accept-encoding": "gzip"]))
            stream.routeSettings = Gzip.RouteSettings()
            stream.routeSettings?.level = level
            stream.requestHead(last: true)
            stream.responseHead(200, ["content-type": "text/plain"])
            stream.responseBody(bytes: text, last: true)
            stream.close()
            #expect(Zlib.decompress(stream.above.body)?.bytes == text)
            sizes.append(stream.above.body.count)
        }
        #expect(sizes[1] < sizes[0] && sizes[0] == sizes[2] && sizes[0] == sizes[3])
    }

    // MARK: Fields

    @Test(
        "Vary is merged",
        arguments: [
            ([], ["Accept-Encoding"]), (["Origin"], ["Origin, Accept-Encoding"]),
            (["Origin", "Cookie"], ["Origin, Cookie, Accept-Encoding"]), (["*"], ["*"]),
            (["Origin, accept-encoding"], ["Origin, accept-encoding"]), (["Cookie, *"], ["Cookie, *"]),
        ] as [([String], [String])])
    func vary(given: [String], wanted: [String]) throws {
        let stream = try stream()
        switch given.count {
        case 0: stream.responseHead(200, ["content-type": "text/plain"])
        case 1: stream.responseHead(200, ["content-type": "text/plain", "vary": given[0]])
        default: stream.responseHead(200, ["content-type": "text/plain", "vary": given[0], "vary": given[1]])
        }
        stream.responseBody(bytes: text, last: true)
        stream.close()
        #expect(stream.above.values("vary") == wanted && isCompressed(stream))
    }

    @Test("Vary can be turned off")
    func noVary() throws {
        let stream = try stream("vary: false")
        stream.responseHead(200, ["content-type": "text/plain"])
        stream.close()
        #expect(stream.above.values("vary") == [] && isCompressed(stream))
    }

    @Test(
        "tags promise no bytes that are not sent",
        arguments: [
            ("\"abc\"", ["W/\"abc\""]), ("W/\"abc\"", ["W/\"abc\""]), ("\"\"", ["W/\"\""]), ("abc", []), ("", []),
        ] as [(String, [String])])
    func tags(given: String, wanted: [String]) throws {
        let stream = try stream()
        stream.responseHead(200, ["content-type": "text/plain", "etag": given])
        stream.close()
        #expect(stream.above.values("etag") == wanted)
        #expect(isCompressed(stream))
    }

    @Test("strong tags can be kept in place of compressing")
    func strongTags() throws {
        let stream = try stream("strong_etags: skip")
        stream.responseHead(200, ["content-type": "text/plain", "etag": "\"abc\""])
        stream.close()
        #expect(!isCompressed(stream) && stream.above.values("etag") == ["\"abc\""])
        #expect(count("not_compressed_etag") == 1)
        let weak = try self.stream("strong_etags: skip")
        weak.responseHead(200, ["content-type": "text/plain", "etag": "W/\"abc\""])
        weak.close()
        #expect(isCompressed(weak))
    }

    @Test("what is true of other bytes only is taken out")
    func digests() throws {
        let stream = try stream()
        stream.responseHead(
            200,
            [
                "content-type": "text/plain", "accept-ranges": "bytes", "content-md5": "x", "digest": "x",
                "content-digest": "x", "repr-digest": "x", "x-other": "y",
            ])
        stream.close()
        #expect(
            Set(stream.above.fields.map { $0.name.lowercased() })
                == ["content-type", "x-other", "content-encoding", "vary"])
    }

    @Test("the head of an answer to HEAD is that of the answer to GET")
    func head() throws {
        let stream = try stream("{}", "HEAD")
        stream.responseHead(
            200, ["content-type": "text/plain", "content-length": "1000", "etag": "\"a\""], last: true)
        stream.close()
        #expect(isCompressed(stream) && stream.above.values("content-length") == [])
        #expect(stream.above.values("etag") == ["W/\"a\""] && stream.above.body.isEmpty)
        let short = try self.stream("{}", "HEAD")
        short.responseHead(200, ["content-type": "text/plain", "content-length": "10"], last: true)
        short.close()
        #expect(!isCompressed(short) && short.above.values("content-length") == ["10"])
    }

    @Test(
        "a 304 names the tag that the client knows",
        arguments: [
            ("W/\"a\"", "W/\"a\""), ("\"a\"", "\"a\""), ("\"b\", W/\"a\"", "W/\"a\""), ("*", "\"a\""),
            ("W/\"b\"", "\"a\""),
        ])
    func notModified(asked: String, tag: String) throws {
        let stream = try stream(fields: ["if-none-match": asked])
        stream.responseHead(304, ["etag": "\"a\""], last: true)
        stream.close()
        #expect(stream.above.values("etag") == [tag] && stream.above.values("vary") == ["Accept-Encoding"])
        #expect(!isCompressed(stream) && count("not_compressed") == 0)
    }

    // MARK: Compressors

    @Test("a compressor is used again, whatever became of the stream that had it")
    func reuse() throws {
        let filter = try worker.make(Gzip.self)
        for ending in [Ending.complete, .replay, .fault(Fault(.clientGone, "client.closed")), .complete] {
            let stream = FakeStream(filter, .fake(fields: ["accept-encoding": "gzip"]))
            stream.requestHead(last: true)
            stream.responseHead(200, ["content-type": "text/plain"])
            stream.responseBody(bytes: text)
            #expect(filter.spareCompressors == 0)
            if case .complete = ending { stream.responseBody(bytes: [], last: true) }
            stream.close(ending)
            #expect(filter.spareCompressors == 1)
            if case .complete = ending { #expect(Zlib.decompress(stream.above.body)?.bytes == text) }
        }
    }

    @Test("as many bodies as may are compressed at once; others are left as they are")
    func most() throws {
        let filter = try worker.make(Gzip.self, config: "max_bodies: 2")
        let streams = (0..<3).map { _ in FakeStream(filter, .fake(fields: ["accept-encoding": "gzip"])) }
        for stream in streams {
            stream.requestHead(last: true)
            stream.responseHead(200, ["content-type": "text/plain"])
        }
        #expect(streams.map(isCompressed) == [true, true, false] && count("max_bodies_reached") == 1)
        #expect(streams[2].above.values("vary") == ["Accept-Encoding"])
        streams[0].close()
        let next = FakeStream(filter, .fake(fields: ["accept-encoding": "gzip"]))
        next.requestHead(last: true)
        next.responseHead(200, ["content-type": "text/plain"])
        #expect(isCompressed(next))
        for stream in streams + [next] { stream.close() }
    }
}
