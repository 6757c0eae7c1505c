internal import FilterAPI
internal import FilterTesting
internal import Filters

/// Compressed bodies, in the coding that the first byte picks.
///
/// What comes out, or that nothing does, must not depend on how the bytes are cut, unless they are stopped for what becomes
/// of them: that is looked at for each piece.
struct GzipTarget: FuzzTarget {
    private let filter = make(Gzip.self) { settings in
        settings.requests = .decompress
        settings.maxRatio = 2000
    }

    func complaint(about input: [UInt8]) -> String? {
        guard let first = input.first, input.count > 1 else { return nil }
        let coding = first & 1 == 0 ? "gzip" : "deflate"
        let result = Splitter(fuzzing: Array(input[1...])).run { read($0, coding) }
        return result.difference.map { "\($0)" }
    }

    private func read(_ pieces: [[UInt8]], _ coding: String) -> String {
        let stream = FakeStream(filter, .fake("POST", fields: ["content-encoding": coding]))
        stream.requestHead()
        for (index, piece) in pieces.enumerated() { stream.requestBody(bytes: piece, last: index == pieces.count - 1) }
        stream.close()
        if let fault = stream.fault { return "\(fault.reason)" }
        return "\(stream.below.isComplete) \(stream.below.body)"
    }
}
