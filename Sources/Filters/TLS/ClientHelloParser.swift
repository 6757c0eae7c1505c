/// Reads a client's first message when all of it is there (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2).
///
/// Every length must fit exactly: where a server could find another name than we do, the message is refused.
struct ClientHelloParser {
    private var rest: ArraySlice<UInt8>
    private var hello = ClientHello()
    private var hasServerName = false
    private var hasProtocols = false

    init(_ message: ArraySlice<UInt8>) { rest = message }

    mutating func parse() -> ClientHelloReader.Answer {
        guard skipStart() else { return .malformed("tls.bad_hello") }
        // Extensions may be missing altogether, in what clients of long ago send.
        if rest.isEmpty { return .hello(hello) }
        guard var extensions = Self.vector(&rest, lengthBytes: 2), rest.isEmpty else {
            return .malformed("tls.bad_hello")
        }
        while !extensions.isEmpty {
            guard let kind = Self.number(&extensions, bytes: 2),
                let content = Self.vector(&extensions, lengthBytes: 2)
            else { return .malformed("tls.bad_extension") }
            if kind == 0, !serverName(content) { return .malformed("tls.bad_server_name") }
            if kind == 16, !protocols(content) { return .malformed("tls.bad_alpn") }
        }
        return .hello(hello)
    }

    /// Version, random bytes, session, cipher suites, compression.
    private mutating func skipStart() -> Bool {
        guard rest.count >= 34 else { return false }
        rest = rest.dropFirst(34)
        guard let session = Self.vector(&rest, lengthBytes: 1), session.count <= 32,
            let suites = Self.vector(&rest, lengthBytes: 2), suites.count >= 2, suites.count % 2 == 0,
            let compression = Self.vector(&rest, lengthBytes: 1), !compression.isEmpty
        else { return false }
        return true
    }

    /// Exactly one name, of the only kind that there is. Twice the extension, or two names, could be read in two ways.
    private mutating func serverName(_ content: ArraySlice<UInt8>) -> Bool {
        var content = content
        guard !hasServerName, var list = Self.vector(&content, lengthBytes: 2), content.isEmpty,
            let kind = Self.number(&list, bytes: 1), kind == 0,
            let name = Self.vector(&list, lengthBytes: 2), list.isEmpty, !name.isEmpty
        else { return false }
        hasServerName = true
        hello.serverName = ServerName.normalized(name)
        return true
    }

    private mutating func protocols(_ content: ArraySlice<UInt8>) -> Bool {
        var content = content
        guard !hasProtocols, var list = Self.vector(&content, lengthBytes: 2), content.isEmpty, !list.isEmpty else {
            return false
        }
        hasProtocols = true
        while !list.isEmpty {
            guard let name = Self.vector(&list, lengthBytes: 1), !name.isEmpty else { return false }
            hello.applicationProtocols.append(String(decoding: name, as: UTF8.self))
        }
        return true
    }

    /// Takes a number off the front; nil where there are not so many bytes.
    private static func number(_ bytes: inout ArraySlice<UInt8>, bytes count: Int) -> Int? {
        guard bytes.count >= count else { return nil }
        let value = bytes.prefix(count).reduce(0) { $0 << 8 | Int($1) }
        bytes = bytes.dropFirst(count)
        return value
    }

    /// Takes a length and so many bytes off the front; nil where they are not all there.
    private static func vector(_ bytes: inout ArraySlice<UInt8>, lengthBytes: Int) -> ArraySlice<UInt8>? {
        guard let count = number(&bytes, bytes: lengthBytes), bytes.count >= count else { return nil }
        defer { bytes = bytes.dropFirst(count) }
        return bytes.prefix(count)
    }
}
