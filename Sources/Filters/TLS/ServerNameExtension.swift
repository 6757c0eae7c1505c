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
        return unsafe hostName(UnsafeBufferPointer(rebasing: bytes[5...]))
    }

    /// Whether a host is an IP address, which is never asked for by name (RFC 6066 section 3).
    static func isAddress(_ host: String) -> Bool {
        host.utf8.contains(0x3A) || host.utf8.allSatisfy { $0 == 0x2E || $0 >= 0x30 && $0 <= 0x39 }
    }

    /// A name as it is compared: in lower case, and only if it is the name of a host and no address.
    static func hostName(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        var count = bytes.count
        if unsafe count > 0 && bytes[count - 1] == 0x2E { count -= 1 }
        guard count > 0, count <= 253 else { return nil }
        var label = 0
        var isNumber = true
        var text: [UInt8] = []
        text.reserveCapacity(count)
        for index in 0..<count {
            var byte = unsafe bytes[index]
            if byte == 0x2E {
                guard label > 0 else { return nil }
                label = 0
            } else {
                if byte >= 0x41 && byte <= 0x5A { byte |= 0x20 }
                let isDigit = byte >= 0x30 && byte <= 0x39
                guard isDigit || byte >= 0x61 && byte <= 0x7A || byte == 0x2D || byte == 0x5F else { return nil }
                if !isDigit { isNumber = false }
                label += 1
                guard label <= 63 else { return nil }
            }
            text.append(byte)
        }
        return isNumber || label == 0 ? nil : String(decoding: text, as: UTF8.self)
    }
}
