internal import FilterAPI

/// What a session has read, in order.
///
/// SAFETY: the record lives as long as the codec; whether it is still the same stream's tells the handle.
@safe
struct HTTP2Event {
    enum Kind: UInt8 { case head, interim, body, trailers, reset, refused, end, ready }

    let kind: Kind
    /// Nothing of the stream follows.
    var isLast: Bool
    /// How many bytes of a body; they are the next in the session's queue.
    let count: Int
    let handle: StreamHandle
    unowned(unsafe) let stream: HTTP2Stream
    let fault: Fault?
}
