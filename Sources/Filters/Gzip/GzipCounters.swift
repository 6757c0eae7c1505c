internal import FilterAPI

/// What a gzip filter counts on one worker, by the names that Envoy has for it.
struct GzipCounters {
    /// Responses that were compressed, and that were not.
    let compressed: Counter
    let notCompressed: Counter
    /// What clients said of those that might have been.
    let noAcceptHeader: Counter
    let headerGzip: Counter
    let headerWildcard: Counter
    let headerIdentity: Counter
    let headerNotValid: Counter
    /// Why others were not.
    let lengthTooSmall: Counter
    let strongTag: Counter
    /// Bytes that went into compressors, and that came out.
    let uncompressedBytes: Counter
    let compressedBytes: Counter
    /// Requests that were compressed.
    let requestsCompressed: Counter
    /// Bodies that were decompressed, and their bytes.
    let decompressed: Counter
    let decompressedBytesIn: Counter
    let decompressedBytesOut: Counter
    /// Bodies that could not be.
    let badData: Counter
    let truncated: Counter
    let bombs: Counter
    /// Bodies that came when as many as may were being worked on.
    let maxBodies: Counter

    init(_ worker: borrowing WorkerContext) {
        compressed = worker.counter("compressed")
        notCompressed = worker.counter("not_compressed")
        noAcceptHeader = worker.counter("no_accept_header")
        headerGzip = worker.counter("header_gzip")
        headerWildcard = worker.counter("header_wildcard")
        headerIdentity = worker.counter("header_identity")
        headerNotValid = worker.counter("header_not_valid")
        lengthTooSmall = worker.counter("content_length_too_small")
        strongTag = worker.counter("not_compressed_etag")
        uncompressedBytes = worker.counter("total_uncompressed_bytes")
        compressedBytes = worker.counter("total_compressed_bytes")
        requestsCompressed = worker.counter("requests_compressed")
        decompressed = worker.counter("decompressed")
        decompressedBytesIn = worker.counter("decompressed_bytes_in")
        decompressedBytesOut = worker.counter("decompressed_bytes_out")
        badData = worker.counter("bad_data")
        truncated = worker.counter("truncated")
        bombs = worker.counter("bombs")
        maxBodies = worker.counter("max_bodies_reached")
    }

    static let descriptions: [StatDescription] = [
        .counter("compressed", "Responses that were compressed."),
        .counter("not_compressed", "Responses with a body that were left as they were where others are compressed."),
        .counter("no_accept_header", "Responses that could have been compressed, without `accept-encoding`."),
        .counter("header_gzip", "Responses that could have been compressed, for clients that named `gzip`."),
        .counter("header_wildcard", "Responses that could have been compressed, for clients that accept any coding."),
        .counter("header_identity", "Responses that could have been compressed, for clients that want no `gzip`."),
        .counter("header_not_valid", "Responses that could have been compressed, with a field that cannot be read."),
        .counter("content_length_too_small", "Responses that were shorter than `min_length`."),
        .counter("not_compressed_etag", "Responses that were left as they were because of a strong entity tag."),
        .counter("total_uncompressed_bytes", "Bytes of bodies before they were compressed."),
        .counter("total_compressed_bytes", "Bytes of bodies after they were compressed."),
        .counter("requests_compressed", "Requests that were compressed."),
        .counter("decompressed", "Bodies of requests and responses that were decompressed."),
        .counter("decompressed_bytes_in", "Bytes of bodies before they were decompressed."),
        .counter("decompressed_bytes_out", "Bytes of bodies after they were decompressed."),
        .counter("bad_data", "Bodies that were not in the format that they were said to be in."),
        .counter("truncated", "Bodies that ended in the middle of their format."),
        .counter("bombs", "Bodies out of which more came than may."),
        .counter("max_bodies_reached", "Bodies that came when `max_bodies` were being worked on."),
    ]

    /// What a client said of a response that could be compressed.
    func count(_ verdict: AcceptEncoding.Verdict) {
        switch verdict {
        case .noHeader: noAcceptHeader.add()
        case .named: headerGzip.add()
        case .wildcard: headerWildcard.add()
        case .identity: headerIdentity.add()
        case .notValid: headerNotValid.add()
        }
    }

    func count(_ problem: InflateProblem) {
        switch problem {
        case .badData: badData.add()
        case .truncated: truncated.add()
        case .bomb: bombs.add()
        case .outOfMemory: break
        }
    }
}
