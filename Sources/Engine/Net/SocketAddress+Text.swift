internal import Glibc

extension SocketAddress: CustomStringConvertible {
    /// The form that ``parse(_:)`` takes: `1.2.3.4:80`, `[::1]:80`, `:80`, `unix:/run/a.sock`.
    public var description: String {
        switch storage {
        case .v4(_, let port): "\(ipText):\(port)"
        case .v6(_, _, _, let port): "[\(ipText)]:\(port)"
        case .all(let port): ":\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// The address alone: `1.2.3.4`, `::1`, `fe80::1%2`; empty for all addresses; the path of a unix socket.
    public var ipText: String {
        switch storage {
        case .v4(let address, _):
            return "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)"
        case .v6(let high, let low, let scope, _):
            let text = SocketAddress.text(high: high, low: low)
            return scope == 0 ? text : "\(text)%\(scope)"
        case .all: return ""
        case .unix(let path): return path
        }
    }

    private static func text(high: UInt64, low: UInt64) -> String {
        var address = in6_addr()
        unsafe withUnsafeMutableBytes(of: &address) { bytes in
            unsafe bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
            unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        let room = Int(INET6_ADDRSTRLEN)
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: room) { text in
            // SAFETY: INET6_ADDRSTRLEN is room enough for any address with its end mark, so this cannot fail.
            unsafe text.initialize(repeating: 0)
            _ = unsafe inet_ntop(AF_INET6, &address, text.baseAddress, socklen_t(room))
            return unsafe text.baseAddress.map { unsafe String(cString: $0) } ?? ""
        }
    }
}

// MARK: - Parsing

extension SocketAddress {
    /// Reads `1.2.3.4:80`, `[::1]:80`, `:80` (all addresses), `unix:/path` or `unix:@abstract`; nil if it is none of these.
    public init?(parsing text: String) {
        guard let address = try? SocketAddress.parse(text) else { return nil }
        self = address
    }

    /// Like ``init(parsing:)``, but says what is wrong.
    public static func parse(_ text: String) throws(AddressError) -> SocketAddress {
        if text.hasPrefix("unix:") { return try unix(String(text.dropFirst(5)), text) }
        if text.hasPrefix("[") { return try bracketed(text) }
        guard let colon = text.lastIndex(of: ":") else {
            throw AddressError(message: "'\(text)' has no port: expected for example '\(text.isEmpty ? "" : text):80'")
        }
        let host = String(text[..<colon])
        if host.contains(":") {
            throw AddressError(message: "'\(text)': an IPv6 address needs brackets, for example '[::1]:80'")
        }
        let port = try port(text[text.index(after: colon)...], text)
        if host.isEmpty { return SocketAddress(.all(port: port)) }
        guard let address = v4(host) else { throw notAnAddress(host, text) }
        return SocketAddress(v4: address, port: port)
    }

    private static func bracketed(_ text: String) throws(AddressError) -> SocketAddress {
        guard let close = text.firstIndex(of: "]") else {
            throw AddressError(message: "'\(text)': the bracket is not closed, expected for example '[::1]:80'")
        }
        let host = String(text[text.index(after: text.startIndex)..<close])
        let rest = text[text.index(after: close)...]
        guard rest.hasPrefix(":") else {
            throw AddressError(message: "'\(text)' has no port: expected for example '[\(host)]:80'")
        }
        let port = try port(rest.dropFirst(), text)
        let parts = host.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let (high, low) = v6(parts[0]) else {
            throw AddressError(message: "'\(text)': '\(host)' is not an IPv6 address")
        }
        let scope = parts.count == 2 ? try scope(parts[1], text) : 0
        return SocketAddress(v6High: high, low: low, scope: scope, port: port)
    }

    private static func unix(_ path: String, _ text: String) throws(AddressError) -> SocketAddress {
        if path.isEmpty || path == "@" { throw AddressError(message: "'\(text)': the path is empty") }
        if path.utf8.contains(0) { throw AddressError(message: "'unix:' path contains a zero byte") }
        if path.utf8.count > 107 {
            throw AddressError(
                message: "'\(text)': the path has \(path.utf8.count) bytes, a unix socket takes at most 107")
        }
        return SocketAddress(.unix(path: path))
    }

    private static func port(_ digits: Substring, _ text: String) throws(AddressError) -> UInt16 {
        if digits.isEmpty { throw AddressError(message: "'\(text)': the port is missing after ':'") }
        guard digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else {
            throw AddressError(message: "'\(text)': port '\(digits)' is not a number")
        }
        guard let port = UInt16(digits) else {
            throw AddressError(message: "'\(text)': port \(digits) is out of range (0 to 65535)")
        }
        return port
    }

    private static func scope(_ name: String, _ text: String) throws(AddressError) -> UInt32 {
        if let number = UInt32(name) { return number }
        let index = unsafe if_nametoindex(name)
        if index == 0 { throw AddressError(message: "'\(text)': this machine has no network interface '\(name)'") }
        return index
    }

    private static func notAnAddress(_ host: String, _ text: String) -> AddressError {
        if host.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 || $0 == UInt8(ascii: ".") }) {
            return AddressError(
                message: "'\(text)': '\(host)' is not an IPv4 address, expected four numbers from 0 to 255")
        }
        return AddressError(message: "'\(text)': '\(host)' is a name, but an IP address is needed here")
    }

    private static func v4(_ host: String) -> UInt32? {
        var address = in_addr()
        return unsafe inet_pton(AF_INET, host, &address) == 1 ? UInt32(bigEndian: address.s_addr) : nil
    }

    private static func v6(_ host: String) -> (UInt64, UInt64)? {
        var address = in6_addr()
        guard unsafe inet_pton(AF_INET6, host, &address) == 1 else { return nil }
        return unsafe withUnsafeBytes(of: &address) { bytes in
            unsafe (
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }
}
