/// Version 1: `PROXY TCP4 192.0.2.1 198.51.100.1 56324 443` and a line end.
enum V1 {
    static let signature = Array("PROXY ".utf8)

    /// Reads a line without its end.
    ///
    /// - Returns: nil where it is not what the specification says: just one space between the words, addresses of the
    ///   family that is named, ports without leading zeros.
    static func read(_ line: ArraySlice<UInt8>) -> ProxyHeader? {
        let words = line.split(separator: 0x20, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard words.count >= 2, line.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { return nil }
        // What follows the word is to be ignored.
        if words[1] == "UNKNOWN" { return .local }
        guard words.count == 6, words[1] == "TCP4" || words[1] == "TCP6" else { return nil }
        guard let source = place(words[2], words[4], words[1]), let destination = place(words[3], words[5], words[1])
        else { return nil }
        return .proxied(source: source, destination: destination)
    }

    private static func place(_ address: String, _ port: String, _ family: String) -> ProxyHeader.Place? {
        let isV6 = address.utf8.contains(UInt8(ascii: ":"))
        guard isV6 == (family == "TCP6"), let address = IPAddress(address) else { return nil }
        let digits = port.utf8
        guard (1...5).contains(digits.count), digits.allSatisfy({ $0 >= 48 && $0 <= 57 }),
            digits.count == 1 || digits.first != 48, let port = UInt16(port)
        else { return nil }
        return .init(address: address, port: port)
    }

    /// The line for a header, with its end.
    static func write(_ header: ProxyHeader) -> [UInt8] {
        guard case .proxied(let source, let destination) = header else { return Array("PROXY UNKNOWN\r\n".utf8) }
        // Both are of one family: an IPv4 address is written as IPv6 where the other one is.
        let isV6 = source.address.isV6 || destination.address.isV6
        func text(_ address: IPAddress) -> String { isV6 ? IPAddress.text(address.sixteenBytes) : address.text }
        let family = isV6 ? "TCP6" : "TCP4"
        let line =
            "PROXY \(family) \(text(source.address)) \(text(destination.address)) \(source.port) "
            + "\(destination.port)\r\n"
        return Array(line.utf8)
    }
}
