/// Why bytes that begin like TLS are not the beginning of TLS.
public struct ClientHelloProblem: Error {
    /// In words, for a log: what is wrong, in lower case and without a full stop.
    public let reason: StaticString

    init(_ reason: StaticString) { self.reason = reason }

    /// A part is longer than what it stands in.
    static var cutShort: ClientHelloProblem { ClientHelloProblem("a length in the client hello is too large") }
}
