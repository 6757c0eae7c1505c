internal import Engine

/// The servers that are asked for names.
struct NameServers: Equatable {
    /// In the form that c-ares reads; nil for the servers of the system.
    let list: String?

    /// From a config; an empty list is for the servers of the system.
    ///
    /// - Throws: for a text that is no address.
    init(_ servers: [String]) throws(AddressError) {
        var addresses: [String] = []
        for server in servers { addresses.append(try Self.parse(server).description) }
        list = addresses.isEmpty ? nil : addresses.joined(separator: ",")
    }

    /// Reads `1.2.3.4`, `1.2.3.4:53`, `::1` or `[::1]:53`.
    static func parse(_ text: String) throws(AddressError) -> SocketAddress {
        let bracketed = text.hasPrefix("[") || text.split(separator: ":", omittingEmptySubsequences: false).count < 3
        let host = bracketed ? text : "[\(text)]"
        let hasPort = host.hasPrefix("[") ? !host.hasSuffix("]") : host.contains(":")
        let address = try SocketAddress.parse(hasPort ? host : "\(host):53")
        guard let port = address.port, port != 0, !address.ipText.isEmpty else {
            throw AddressError(message: "'\(text)' is not the address of a name server")
        }
        return address
    }
}
