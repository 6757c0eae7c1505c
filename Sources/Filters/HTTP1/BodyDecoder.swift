internal import FilterAPI

/// How the rest of a message is read.
enum BodyDecoder {
    case none
    case length(Int)
    case chunked(ChunkedDecoder)
    /// Behind the last chunk.
    case trailers
    case untilClose
    case tunnel
}
