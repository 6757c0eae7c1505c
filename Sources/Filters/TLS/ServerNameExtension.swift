/// The extension of a client's first message that says which name it asks for (RFC 6066 section 3).
enum ServerNameExtension {
    /// - Returns: the name in lower case without a dot at its end; nil where there is none that a host can have.
    static func read(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        // A list with its length, in it one name of kind 0 with its length.
        guard bytes.count >= 5, unsafe Int(bytes[0]) << 8 | Int(bytes[1]) == bytes.count - 2, unsafe bytes[2] == 0
        else {
            return nil
        }
        let count = unsafe Int(bytes[3]) << 8 | Int(bytes[4])
        guard count == bytes.count - 5 else { return nil }
        return unsafe ServerName.normalized(bytes[5...])
    }

    /// Whether a host is an IP address, which is never asked for by name (RFC 6066 section 3).
    static func isAddress(_ host: String) -> Bool {
        host.utf8.contains(0x3A) || host.utf8.allSatisfy { $0 == 0x2E || $0 >= 0x30 && $0 <= 0x39 }
    }
}
