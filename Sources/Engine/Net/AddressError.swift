/// A text that is no socket address, with a sentence that says why.
public struct AddressError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong and what was expected, for example "'1.2.3.4:99999': port 99999 is out of range (0 to 65535)".
    public let message: String
    /// An error with a sentence of its own.
    public init(message: String) { self.message = message }

    /// The same sentence.
    public var description: String { message }
}
