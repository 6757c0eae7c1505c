internal import FilterAPI

extension ClientHello {
    /// So many protocols may be offered; who offers more is not after one of them.
    private static let mostProtocols = 64

    /// Reads the content of a client's `server_name` extension (RFC 6066 section 3).
    ///
    /// - Returns: the name in lower case without a dot at its end; nil where it is no host name.
    /// - Throws: where the extension itself is broken, or could be read in two ways.
    public static func serverName(in content: RawSpan) throws(ClientHelloProblem) -> String? {
        var whole = TLSVector(content)
        var list = TLSVector(try whole.vector(2))
        // The kind of a name, which has one value. What comes of another kind nobody knows the length of.
        guard try list.number(1) == 0 else { throw .init("a server name is of an unknown kind") }
        let name = try list.vector(2)
        guard !name.isEmpty else { throw .init("the server name is empty") }
        guard list.isAtEnd, whole.isAtEnd else { throw .init("there is more than one server name") }
        return hostName(name)
    }

    /// Reads the content of a client's ALPN extension (RFC 7301 section 3.1).
    ///
    /// - Throws: where it is broken, or longer than any client's.
    public static func applicationProtocols(in content: RawSpan) throws(ClientHelloProblem) -> [String] {
        var whole = TLSVector(content)
        var list = TLSVector(try whole.vector(2))
        guard whole.isAtEnd, !list.isAtEnd else { throw .init("the list of protocols is broken") }
        var protocols: [String] = []
        while !list.isAtEnd {
            let name = try list.vector(1)
            if name.isEmpty { throw .init("the name of a protocol is empty") }
            guard protocols.count < mostProtocols else { throw .init("too many protocols are offered") }
            protocols.append(ASCII.string(name))
        }
        return protocols
    }

    /// A host name: labels of letters, digits, hyphens and underscores; nil for all else, such as an address.
    private static func hostName(_ text: RawSpan) -> String? {
        var end = text.byteCount
        if text.byte(at: end - 1) == UInt8(ascii: ".") { end -= 1 }
        guard end > 0, end <= 253 else { return nil }
        var labelStart = 0
        var isNumber = true
        for index in 0..<end {
            let byte = text.byte(at: index)
            if byte == UInt8(ascii: ".") {
                guard index > labelStart, index - labelStart <= 63 else { return nil }
                labelStart = index + 1
            } else {
                guard isNameByte(byte) else { return nil }
                if byte < UInt8(ascii: "0") || byte > UInt8(ascii: "9") { isNumber = false }
            }
        }
        guard end > labelStart, end - labelStart <= 63, !isNumber else { return nil }
        return ASCII.string(text.extracting(0..<end)).lowercased()
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch ASCII.lower(byte) {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
