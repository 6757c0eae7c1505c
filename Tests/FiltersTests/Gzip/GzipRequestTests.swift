import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("The decompression of requests and responses, and the compression of requests")
struct GzipRequestTests {
    private let worker = FakeWorker()

    private func count(_ name: String) -> UInt64 { worker.value(of: "gzip.\(name)") }

    private func upload(
        _ pieces: [[UInt8]], coding: String = "gzip", config: String = "requests: decompress", filter: Gzip? = nil
    ) throws -> FakeStream<Gzip> {
        let filter = try filter ?? worker.make(Gzip.self, config: config)
        let stream = FakeStream(filter, .fake("POST", fields: ["content-encoding": coding, "content-digest": "x"]))
        stream.request.headers.set(.contentLength, pieces.reduce(0) { $0 + $1.count })
        stream.requestHead()
        for (index, piece) in pieces.enumerated() { stream.requestBody(bytes: piece, last: index == pieces.count - 1) }
        stream.close()
        return stream
    }

    @Test("a body comes out as it was, and its fields say so")
    func whole() throws {
        let text = sampleText(200_000)
        let stream = try upload([Zlib.compress(text)])
        #expect(stream.below.body == text && stream.below.isComplete && stream.fault == nil)
        #expect(stream.below.fields.map { $0.name.lowercased() } == ["host"])
        #expect(stream.request.bodyLength == .unknown)
        #expect(count("decompressed") == 1 && count("decompressed_bytes_out") == 200_000)
    }

    @Test(
        "however the bytes are cut, the same comes out",
        arguments: [
            ("gzip", Zlib.compress(sampleText(3000))), ("x-gzip", Zlib.compress(sampleText(3000))),
            ("deflate", Zlib.compress(sampleText(3000), .zlib)), ("deflate", Zlib.compress(sampleText(3000), .bare)),
            ("deflate", Zlib.compress(noise(300), .bare, level: 0)), ("deflate", Zlib.compress([], .zlib)),
            ("gzip", Zlib.compress(sampleText(300)) + Zlib.compress([]) + Zlib.compress(noise(300))),
            ("gzip", Zlib.compress([])),
            // What is wrong is so as well.
            ("gzip", Array(Zlib.compress(sampleText(300)).dropLast())), ("gzip", [0x1F]), ("gzip", [0x1F, 0x8B, 8]),
            ("gzip", Zlib.compress(sampleText(300)) + [0]), ("gzip", Zlib.compress(sampleText(300)) + [0x1F]),
            ("gzip", Array("plain text".utf8)), ("gzip", Zlib.compress(sampleText(300), .zlib)),
            ("deflate", Zlib.compress(sampleText(300))), ("deflate", Zlib.compress(sampleText(300), .zlib) + [0x78]),
            ("deflate", [0x78, 0xBB, 0, 0, 0, 1]),
        ] as [(String, [UInt8])])
    func cut(coding: String, bytes: [UInt8]) throws {
        let filter = try worker.make(Gzip.self, config: "requests: decompress")
        let result = try Splitter(bytes).run { pieces in
            let stream = try upload(pieces, coding: coding, filter: filter)
            // What came out before the mistake depends on how far it had come.
            if let fault = stream.fault { return "\(fault.kind) \(fault.reason)" }
            return "\(stream.below.body) \(stream.below.isComplete)"
        }
        #expect(result.difference == nil)
    }

    @Test("a body without bytes is one, in whatever coding", arguments: ["gzip", "deflate"])
    func empty(coding: String) throws {
        let stream = try upload([[]], coding: coding)
        #expect(stream.below.body == [] && stream.below.isComplete && stream.fault == nil)
    }

    @Test("several members are one body")
    func members() throws {
        let stream = try upload([Zlib.compress(sampleText(300)) + Zlib.compress([]) + Zlib.compress(noise(300))])
        #expect(stream.below.body == sampleText(300) + noise(300))
    }

    @Test("each bit that is turned over is found, or does not matter")
    func corrupt() throws {
        let text = sampleText(200)
        let good = Zlib.compress(text)
        let filter = try worker.make(Gzip.self, config: "requests: decompress")
        for index in good.indices {
            for bit in 0..<8 {
                var bad = good
                bad[index] ^= 1 << UInt8(bit)
                let stream = try upload([bad], filter: filter)
                if let fault = stream.fault {
                    #expect(fault.kind == .badRequest && !stream.below.isComplete)
                } else {
                    #expect(stream.below.body == text)
                }
            }
        }
        #expect(count("bad_data") > 0 && count("truncated") > 0)
    }

    @Test(
        "what is wrong with a request is told as such",
        arguments: [
            (Array("plain text".utf8), Fault.Kind.badRequest, "gzip.bad_data", "bad_data"),
            (Array(Zlib.compress(sampleText(300)).dropLast(4)), .badRequest, "gzip.truncated", "truncated"),
            (Zlib.compress([UInt8](repeating: 0, count: 1 << 20)), .bodyTooLarge, "gzip.bomb", "bombs"),
        ])
    func faults(bytes: [UInt8], kind: Fault.Kind, reason: String, counter: String) throws {
        let stream = try upload([bytes])
        #expect(stream.fault?.kind == kind && "\(stream.fault?.reason ?? "")" == reason && count(counter) == 1)
    }

    @Test("a bomb is stopped by the ratio, of the body and of each piece, and by the size")
    func bombs() throws {
        let zeros = [UInt8](repeating: 0, count: 8 << 20)
        let bomb = Zlib.compress(zeros)
        // Byte by byte it comes no further.
        let slow = try upload(bomb.map { [$0] })
        #expect(slow.fault?.reason.description == "gzip.bomb" && slow.below.body.count <= bomb.count * 100 + 90_000)
        // A harmless beginning does not buy a piece the right to become all that the body may.
        let padded = try upload([Zlib.compress(noise(200_000)), bomb])
        #expect(padded.fault?.reason.description == "gzip.bomb")
        #expect(padded.below.body.count <= 200_000 + bomb.count * 100 + 90_000)
        let size = try upload(
            [Zlib.compress(sampleText(300_000))], config: "{ requests: decompress, max_size: 200KiB }")
        #expect(size.fault?.kind == .bodyTooLarge && size.below.body.count <= 200 << 10)
        let allowed = try upload([bomb], config: "{ requests: decompress, max_ratio: 1100 }")
        #expect(allowed.below.body.count == zeros.count && allowed.fault == nil)
        // Little is harmless whatever it was made of.
        #expect(try upload([Zlib.compress(Array(zeros[..<60_000]))]).below.body.count == 60_000)
    }

    @Test("what cannot be undone, or is not to be, goes on as it is")
    func left() throws {
        let bytes = Zlib.compress(sampleText(300))
        for coding in ["br", "gzip, gzip", "identity", "gzip, br", "zstd", ""] {
            let stream = try upload([bytes], coding: coding)
            #expect(stream.below.body == bytes && stream.below.values("content-encoding") == [coding])
        }
        for fields: KeyValuePairs<String, String> in [
            ["content-type": "application/grpc"], ["cache-control": "no-transform"],
            ["content-range": "bytes 0-99/1000"],
        ] {
            let filter = try worker.make(Gzip.self, config: "requests: decompress")
            let stream = FakeStream(filter, .fake("POST", fields: fields))
            stream.request.headers.add(.contentEncoding, "gzip")
            stream.requestHead()
            stream.requestBody(bytes: bytes, last: true)
            stream.close()
            #expect(stream.below.body == bytes)
        }
    }

    @Test("requests are compressed only where that is asked for")
    func compressed() throws {
        let text = sampleText(10_000)
        for (config, wanted) in [("requests: compress", true), ("{}", false)] {
            let stream = FakeStream(
                try worker.make(Gzip.self, config: config), .fake("POST", fields: ["content-type": "application/json"]))
            stream.requestHead()
            stream.requestBody(bytes: text)
            stream.advance(by: .milliseconds(1))
            if wanted { #expect(Zlib.decompress(stream.below.body)?.bytes == text) }
            stream.requestTrailers(["x-end": "1"])
            stream.close()
            #expect(stream.below.values("content-encoding") == (wanted ? ["gzip"] : []))
            #expect(wanted ? Zlib.decompress(stream.below.body)?.isComplete == true : stream.below.body == text)
        }
    }

    @Test("decompressors are used again, after what was wrong too, and there are no more than may be")
    func reuse() throws {
        let filter = try worker.make(Gzip.self, config: "{ requests: decompress, max_bodies: 1 }")
        let good = Zlib.compress(sampleText(300))
        for bytes in [good, Array("plain".utf8), good, [0x1F], good] {
            let stream = try upload([bytes], filter: filter)
            #expect(stream.fault != nil || stream.below.body == sampleText(300))
            #expect(filter.spareDecompressors == 1)
        }
        let first = FakeStream(filter, .fake("POST", fields: ["content-encoding": "gzip"]))
        first.requestHead()
        let second = try upload([good], filter: filter)
        #expect(second.fault?.kind == .overloaded && second.fault?.reason.description == "gzip.max_bodies")
        first.close()
        #expect(try upload([good], filter: filter).fault == nil)
    }

    // MARK: Responses

    private func answer(
        accept: String?, coding: String = "gzip", bytes: [UInt8] = Zlib.compress(sampleText(3000)),
        method: String = "GET"
    ) throws -> FakeStream<Gzip> {
        let filter = try worker.make(Gzip.self, config: "responses: decompress")
        let stream = FakeStream(filter, .fake(method))
        if let accept { stream.request.headers.add(.acceptEncoding, accept) }
        stream.requestHead(last: true)
        stream.responseHead(
            200, ["content-encoding": coding, "content-length": "\(bytes.count)", "etag": "\"a\""],
            last: method == "HEAD")
        if method != "HEAD" { stream.responseBody(bytes: bytes, last: true) }
        stream.close()
        return stream
    }

    @Test("responses are decompressed for clients that do not accept them as they are")
    func responses() throws {
        for accept in [nil, "identity", "br", "gzip;q=0"] {
            let stream = try answer(accept: accept)
            #expect(stream.above.body == sampleText(3000) && stream.above.values("content-encoding") == [])
            #expect(stream.above.values("vary") == ["Accept-Encoding"] && stream.above.values("etag") == ["W/\"a\""])
        }
        for accept in ["gzip", "*"] {
            let stream = try answer(accept: accept)
            #expect(Zlib.decompress(stream.above.body)?.bytes == sampleText(3000))
            #expect(stream.above.values("vary") == ["Accept-Encoding"] && stream.above.values("etag") == ["\"a\""])
        }
        #expect(try answer(accept: "gzip", coding: "deflate").above.values("content-encoding") == [])
        #expect(try answer(accept: nil, coding: "br").above.values("vary") == [])
        let head = try answer(accept: nil, method: "HEAD")
        #expect(head.above.values("content-encoding") == [] && head.above.values("content-length") == [])
    }

    @Test("what is wrong with a response is the upstream's doing, and cuts it off")
    func badResponse() throws {
        let bad = try answer(accept: nil, bytes: Array("plain text".utf8))
        #expect(bad.fault?.kind == .upstreamProtocol && bad.fault?.origin == .upstream && !bad.above.isComplete)
        let bomb = try answer(accept: nil, bytes: Zlib.compress([UInt8](repeating: 0, count: 1 << 20)))
        #expect(bomb.fault?.kind == .upstreamProtocol && bomb.fault?.reason.description == "gzip.bomb")
    }
}
