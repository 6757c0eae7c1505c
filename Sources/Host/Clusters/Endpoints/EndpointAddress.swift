internal import Engine

/// Where an endpoint is, as a config says it.
enum EndpointAddress: Hashable, Sendable {
    /// An IP address with a port, or a unix socket.
    case fixed(SocketAddress)
    /// A name that has to be looked up, in lower case, and a port.
    case name(String, port: UInt16)

    /// For hints.
    static let examples = "for example `127.0.0.1:8080`, `[::1]:8080`, `app.internal:8080` or `unix:/run/app.sock`"

    /// Reads `host:port`, `1.2.3.4:80`, `[::1]:80`, `unix:/path` or `unix:@abstract`; says what is wrong otherwise.
    static func parse(_ text: String) throws(AddressError) -> EndpointAddress {
        if text.hasPrefix("unix:") { return .fixed(try SocketAddress.parse(text)) }
        if text.contains("/") {
            throw AddressError(message: "'\(text)': expected a host and a port only, without a scheme or a path")
        }
        guard let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") else {
            throw AddressError(message: "'\(text)' has no port: expected for example '\(text):80'")
        }
        let host = text[..<colon]
        if host.isEmpty {
            throw AddressError(message: "'\(text)' has no host: expected for example '127.0.0.1\(text)'")
        }
        let port = text[text.index(after: colon)...]
        if port == "0" { throw AddressError(message: "'\(text)': nothing can listen at port 0") }
        if isNumeric(host) || host.contains(":") { return .fixed(try SocketAddress.parse(text)) }
        // The host's part is a number to please the reader of ports, who has all the words for what may be wrong.
        guard let number = try SocketAddress.parse("0.0.0.0:\(port)").port else { return .name("", port: 0) }
        return .name(try name(host, in: text), port: number)
    }

    private static func isNumeric(_ host: Substring) -> Bool { host.utf8.allSatisfy { isDigit($0) || $0 == 0x2E } }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    private static func name(_ host: Substring, in text: String) throws(AddressError) -> String {
        let labels = (host.hasSuffix(".") ? host.dropLast() : host).split(
            separator: ".", omittingEmptySubsequences: false)
        guard host.utf8.count <= 253, labels.allSatisfy({ $0.utf8.count >= 1 && $0.utf8.count <= 63 }) else {
            throw AddressError(
                message: "'\(text)': a name has parts of 1 to 63 characters, and at most 253 characters in all")
        }
        let isPlain = host.utf8.allSatisfy { byte in
            isDigit(byte) || byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A || byte == 0x2D || byte == 0x2E || byte == 0x5F
        }
        guard isPlain else {
            throw AddressError(message: "'\(text)': a name has letters, digits, '-', '_' and '.' only")
        }
        return host.lowercased()
    }
}
