/// How large a message's head may be.
struct HeadLimits: Sendable {
    /// All bytes of the head together.
    var head = 60 * 1024
    /// Fields.
    var fields = 100
    /// One field's name and value.
    var field = 16 * 1024
    /// A request's target.
    var target = 8 * 1024
}
