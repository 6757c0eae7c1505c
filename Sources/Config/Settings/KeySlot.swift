/// A key of a template, for a value that is about to be read.
struct KeySlot {
    let owner: Template
    let position: Int

    /// What the value is if the file does not have it.
    var fallback: Any? { owner.keys[position].fallback }
    /// The keys and defaults of the value, if it is a struct that is not nil by default.
    var template: Template? { owner.child(at: position) }
}
