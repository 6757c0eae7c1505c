/// What a filter says about the event it was just shown.
public enum Step: UInt8, Sendable {
    /// It goes on, as it now stands.
    case next
    /// It goes on, and this filter is not shown this direction of the stream again.
    case leave
    /// It stays here.
    ///
    /// Together with a token from ``Stream/pause()``: nothing more of this direction comes to this filter until the
    /// token is used. Without a token: what follows is shown to this filter too, and is kept as well while it says
    /// `hold`; the first `next` lets everything go on in order. A stream that is held at its end without a token
    /// could never go on, so the host fails it.
    case hold
    /// The filter moved the bytes out, and will send them or others in their place; nothing goes on now.
    ///
    /// Only for bodies and bytes. What ends the direction cannot be taken: `last` goes on by itself.
    case taken
}
