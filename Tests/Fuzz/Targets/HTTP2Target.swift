internal import FilterAPI
internal import FilterTesting
internal import Filters

/// What clients send over HTTP/2.
///
/// The input says frames in a short form, so that the fuzzer need not guess lengths: see ``frames(_:)``. Nothing may trap or
/// be used after its end, however the bytes are cut; and whatever is passed on must be read by a server of HTTP/1 as the same
/// requests, no more and no fewer.
struct HTTP2Target: FuzzTarget {
    private let usual = make(HTTPServerCodec.self) { settings in
        settings.requestID = false
        settings.forwardedFor = .keep
    }
    /// With limits that an input of the fuzzer reaches.
    private let tight = make(HTTPServerCodec.self) { settings in
        settings.requestID = false
        settings.maxHead = .bytes(300)
        settings.maxHeaders = 6
        settings.maxHeader = .bytes(100)
        settings.maxTarget = .bytes(60)
        settings.maxBody = .bytes(40)
        settings.mergeSlashes = true
        settings.http2.maxConcurrentStreams = 3
        settings.http2.extendedConnect = false
        settings.via = "fuzz"
    }
    private let client = make(HTTP1ClientCodec.self)
    private let upstream = make(HTTP1ServerCodec.self) { settings in
        settings.requestID = false
        settings.forwardedFor = .keep
        settings.trustedHops = 1
        settings.maxHeaders = 10_000
    }

    func complaint(about input: [UInt8]) -> String? {
        let bytes = Self.frames(input)
        for codec in [usual, tight] {
            for pieces in [[bytes], bytes.map { [$0] }, Self.thirds(bytes)] {
                if let complaint = rereading(pieces, codec) { return complaint }
            }
        }
        return nil
    }

    private static func thirds(_ bytes: [UInt8]) -> [[UInt8]] {
        let (first, second) = (bytes.count / 3, bytes.count * 2 / 3)
        return [Array(bytes[..<first]), Array(bytes[first..<second]), Array(bytes[second...])]
    }

    /// Passes on all complete requests, and compares what comes out of them at the next server.
    private func rereading(_ pieces: [[UInt8]], _ codec: HTTPServerCodec) -> String? {
        var written: [UInt8] = []
        var passed: [RecordedRequest] = []
        let bench = ServerBench(codec)
        bench.answer = { bench, stream in
            guard bench.isOpen(stream) else { return }
            if let request = bench.request(of: stream), request.isComplete, request.method != "CONNECT",
                !request.fields.contains(where: { $0.name.lowercased() == "upgrade" })
            {
                written += relayed(bench, stream, through: client)
                passed.append(request)
            }
            bench.respond(200, ["x": "y"], body: ["a", "body"], to: stream)
            bench.close(stream)
        }
        for piece in pieces { bench.receive(piece) }
        bench.advance(by: .seconds(60))
        bench.drain()
        bench.advance(by: .seconds(60))
        bench.end()
        let next = ServerBench(upstream)
        next.receive(written)
        next.end()
        let same =
            next.fault == nil && next.requests.count == passed.count && zip(next.requests, passed).allSatisfy(Self.same)
        return same
            ? nil : "passed on:\n\(bench.transcript)\nwritten:\n\(printable(written))\nread:\n\(next.transcript)"
    }

    private static func same(_ there: RecordedRequest, _ here: RecordedRequest) -> Bool {
        there.isComplete && there.method == here.method && there.target == here.target && there.body == here.body
            && there.trailers == here.trailers && kept(there.fields) == kept(here.fields)
    }

    /// All fields but those that a codec may write for itself.
    private static func kept(_ fields: [RecordedField]) -> [RecordedField] {
        fields.filter { !["content-length", "host", "te"].contains($0.name.lowercased()) }
    }

    /// The preface and SETTINGS, then a frame for every five bytes: what it is, flags, stream, length, and whether its block
    /// of fields begins with those that a request needs. What is missing at the end is not there.
    private static func frames(_ input: [UInt8]) -> [UInt8] {
        var bytes = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(4, 0, 0, [])
        var at = 0
        while at + 5 <= input.count {
            let count = min(Int(input[at + 3]), input.count - at - 5)
            var payload = Array(input[at + 5..<at + 5 + count])
            switch input[at + 4] & 3 {
            // :method GET, :path /, :scheme http, :authority a
            case 1: payload = [0x82, 0x84, 0x86, 0x01, 1, UInt8(ascii: "a")] + payload
            // The same with POST.
            case 2: payload = [0x83, 0x84, 0x86, 0x01, 1, UInt8(ascii: "a")] + payload
            default: break
            }
            bytes += frame(input[at] & 0x0F, input[at + 1], input[at + 2] & 0x1F, payload)
            at += 5 + count
        }
        return bytes
    }

    private static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [0, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF), type, flags, 0, 0, 0, stream] + payload
    }
}
