internal import FilterAPI

/// How the rest of a message is read.
enum BodyDecoder {
    case none
    case length(Int)
    case chunked(ChunkedDecoder)
    case untilClose
    case tunnel
}
