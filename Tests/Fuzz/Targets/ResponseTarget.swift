internal import FilterAPI
internal import FilterTesting
internal import Filters

/// What upstreams send.
///
/// What the codec says must not depend on how the bytes are cut; and what is passed on must be read by the client as
/// the same response, and nothing behind it.
struct ResponseTarget: FuzzTarget {
    private let usual = make(HTTP1ClientCodec.self)
    private let tight = make(HTTP1ClientCodec.self) { settings in
        settings.maxHead = .bytes(300)
        settings.maxHeaders = 6
    }
    private let reader = make(HTTP1ClientCodec.self) { $0.maxHeaders = 10_000 }
    private let server = make(HTTP1ServerCodec.self) { $0.serverHeader = "" }

    func complaint(about input: [UInt8]) -> String? {
        for (codec, method) in [(usual, "GET"), (usual, "HEAD"), (tight, "POST")] {
            let result = Splitter(fuzzing: input).run { pieces in
                let bench = read(pieces, codec, method)
                let isKept = bench.isReusable && bench.unread == 0
                bench.end()
                return "\(bench.transcript)\n\(isKept)"
            }
            if let difference = result.difference { return "for \(method), \(difference)" }
            if let complaint = rereading(input, codec, method) { return "for \(method), \(complaint)" }
        }
        return nil
    }

    /// Shows a codec the answer to a request; to one of POST as if it had asked for more.
    private func read(
        _ pieces: [[UInt8]], _ codec: HTTP1ClientCodec, _ method: String
    ) -> ClientBench<HTTP1ClientCodec> {
        let bench = ClientBench(codec)
        var head = RequestHead.fake(method)
        head.expectsContinue = method == "POST"
        head.wantsUpgrade = method == "POST"
        bench.request(head)
        for piece in pieces { bench.receive(piece) }
        return bench
    }

    private func rereading(_ input: [UInt8], _ codec: HTTP1ClientCodec, _ method: String) -> String? {
        let bench = read([input], codec, method)
        bench.end()
        guard let passed = bench.response, passed.isComplete, passed.status != 101 else { return nil }
        let written = relayed(bench, through: server, method: method)
        let client = ClientBench(reader)
        client.request(.fake(method))
        client.receive(written.output)
        let rest = client.unread
        client.end()
        if let read = client.response, written.fault == nil, rest == 0, Self.same(read, passed) { return nil }
        return "passed on:\n\(bench.transcript)\nwritten:\n\(printable(written.output))\nread:\n\(client.transcript)"
    }

    private static func same(_ there: RecordedResponse, _ here: RecordedResponse) -> Bool {
        there.isComplete && there.status == here.status && there.body == here.body && there.trailers == here.trailers
            && kept(there.fields) == kept(here.fields)
    }

    /// All fields but those that a codec may write for itself.
    private static func kept(_ fields: [RecordedField]) -> [RecordedField] {
        fields.filter { !["content-length", "date"].contains($0.name.lowercased()) }
    }
}
