internal import FilterAPI
internal import FilterTesting
internal import Filters

/// What clients send.
///
/// What the codec says and answers must not depend on how the bytes are cut; and what is passed on must be read by the
/// next server as the same requests, no more and no fewer.
struct RequestTarget: FuzzTarget {
    /// As it comes: nothing but the request itself is passed on.
    private let usual = make(HTTP1ServerCodec.self) { settings in
        settings.requestID = false
        settings.forwardedFor = .keep
    }
    /// With limits that an input of the fuzzer reaches, and with what is off otherwise.
    private let tight = make(HTTP1ServerCodec.self) { settings in
        settings.requestID = false
        settings.maxHead = .bytes(300)
        settings.maxHeaders = 6
        settings.maxHeader = .bytes(100)
        settings.maxTarget = .bytes(60)
        settings.maxBody = .bytes(40)
        settings.maxRequestsPerConnection = 3
        settings.mergeSlashes = true
        settings.escapedSlashes = .unescape
        settings.underscoresInHeaders = .drop
        settings.trustedHops = 1
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
        for codec in [usual, tight] {
            let result = Splitter(fuzzing: input).run { read($0, codec, opensTunnels: codec === usual) }
            if let difference = result.difference { return "\(difference)" }
            if let complaint = rereading(input, codec) { return complaint }
        }
        return nil
    }

    /// What a codec says of the pieces, and what it writes.
    private func read(_ pieces: [[UInt8]], _ codec: HTTP1ServerCodec, opensTunnels: Bool) -> String {
        let bench = ServerBench(codec)
        for piece in pieces { bench.receive(piece) }
        while answerOffer(bench, opensTunnels) {}
        bench.end()
        return "\(bench.transcript)\n\(printable(bench.connection.takeOutput()))"
    }

    /// Answers a request for a tunnel, if one waits.
    private func answerOffer(_ bench: ServerBench<HTTP1ServerCodec>, _ opensTunnels: Bool) -> Bool {
        guard let request = bench.requests.last, !request.isComplete, !bench.isOver, bench.connection.openStreams > 0
        else { return false }
        let stream = bench.stream
        let isConnect = request.method == "CONNECT"
        guard unsafe isConnect || bench.connection.requestHead(stream).pointee.wantsUpgrade else { return false }
        if opensTunnels {
            bench.respondHead(isConnect ? 200 : 101, isConnect ? [:] : ["upgrade": "fuzz"])
            bench.decodeOn()
            return false
        }
        bench.answer = { bench, answered in
            if answered != stream { bench.respond(200, to: answered) }
            bench.close(answered)
        }
        bench.respondHead(403, last: true)
        bench.decodeOn()
        return true
    }

    /// Passes on all complete requests, and compares what comes out of them at the next server.
    private func rereading(_ input: [UInt8], _ codec: HTTP1ServerCodec) -> String? {
        var written: [UInt8] = []
        let bench = ServerBench(codec)
        bench.answer = { bench, stream in
            written += relayed(bench, through: client)
            bench.respond(200, to: stream)
            bench.close(stream)
        }
        bench.receive(input)
        let next = ServerBench(upstream)
        next.receive(written)
        next.end()
        let passed = bench.requests.filter(\.isComplete)
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
}
