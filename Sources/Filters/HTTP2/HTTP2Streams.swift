internal import FilterAPI

/// The streams of all sessions of a codec on one worker: those that nobody uses are used again.
///
/// It keeps every stream alive as long as the codec, which outlives its connections.
final class HTTP2Streams {
    /// What libnghttp2 keeps of them.
    let memory = HTTP2Memory()
    private var all: [HTTP2Stream] = []
    private var free: [HTTP2Stream] = []

    func take() -> HTTP2Stream {
        if let stream = free.popLast() { return stream }
        let stream = HTTP2Stream()
        all.append(stream)
        free.reserveCapacity(all.count)
        return stream
    }

    func put(_ stream: HTTP2Stream) {
        stream.clear()
        free.append(stream)
    }
}
