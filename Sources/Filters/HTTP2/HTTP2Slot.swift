/// What the host keeps with a stream for a codec of HTTP/2: where the session's record of it is.
///
/// SAFETY: a record outlives the host's stream, since it is given back only after ``HTTP2Session/closed(_:)``.
@safe
public struct HTTP2Slot: BitwiseCopyable {
    var record: UnsafeMutableRawPointer?
}
