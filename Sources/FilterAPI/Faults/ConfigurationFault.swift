/// Why a filter cannot be made from its settings; refuses the config, and the running one stays.
public struct ConfigurationFault: Error, Sendable {
    /// The key that is to blame, as written in the file; empty for the filter as a whole.
    public var key: String
    /// What is wrong, in lower case and without a full stop.
    public var message: String
    /// What would be right.
    public var hint: String?

    /// A refusal.
    public init(_ message: String, key: String = "", hint: String? = nil) {
        self.key = key
        self.message = message
        self.hint = hint
    }
}
