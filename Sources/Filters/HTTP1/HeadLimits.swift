/// How large a message's head may be.
package struct HeadLimits: Sendable {
    /// All bytes of the head together.
    package var head = 60 * 1024
    /// Fields.
    package var fields = 100
    /// One field's name and value.
    package var field = 16 * 1024
    /// A request's target.
    package var target = 8 * 1024

    /// The defaults.
    package init() {}

    init(head: Int, fields: Int, field: Int, target: Int = 8 * 1024) {
        self.head = head
        self.fields = fields
        self.field = field
        self.target = target
    }
}
