internal import FilterAPI

/// Which way a body goes through the filter.
enum BodyWay {
    case request
    case response

    /// Sends a piece on, before what the filter lets go on.
    func send(_ chunk: consuming ByteChunk, _ stream: inout Stream) {
        switch self {
        case .request: stream.sendBelow(chunk)
        case .response: stream.sendAbove(chunk)
        }
    }
}
