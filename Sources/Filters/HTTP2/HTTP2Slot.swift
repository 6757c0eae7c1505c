internal import FilterAPI

/// What the host keeps with a stream for a codec of HTTP/2: where the session's record of it is.
///
/// SAFETY: a record outlives the host's stream, since it is given back only after ``HTTP2Session/closed(_:)``.
@safe
public struct HTTP2Slot: BitwiseCopyable {
    var record: UnsafeMutableRawPointer?
}

extension CodecLink {
    /// The session's record of a stream of the host's; nil where it has none.
    mutating func http2Stream(_ handle: StreamHandle) -> HTTP2Stream? {
        // SAFETY: as HTTP2Slot says.
        withStreamState(handle, as: HTTP2Slot.self) { slot in unsafe HTTP2Callbacks.stream(slot.record) }
    }

    /// Notes which record a stream of the host's has.
    mutating func setHTTP2Stream(_ stream: HTTP2Stream?, of handle: StreamHandle) {
        withStreamState(handle, as: HTTP2Slot.self) { slot in
            unsafe slot.record = stream.map { unsafe Unmanaged.passUnretained($0).toOpaque() }
        }
    }
}
