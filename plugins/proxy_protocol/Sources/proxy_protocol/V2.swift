/// Version 2: a signature, command, family and length, addresses, and then values with types (TLV).
enum V2 {
    static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    /// Signature, command, family, length.
    static let fixedLength = 16
    private static let checksumType: UInt8 = 0x03

    /// What is wrong with the first 16 bytes; nil where nothing is.
    static func problem(_ bytes: [UInt8], length: Int, _ maxLength: Int) -> HeaderReader.Problem? {
        guard bytes[12] == 0x20 || bytes[12] == 0x21, bytes[13] >> 4 <= 3, bytes[13] & 0xF <= 2 else {
            return .badCommand
        }
        if length > maxLength { return .tooLong }
        return bytes[12] == 0x21 && length < addressLength(bytes[13]) ? .badLength : nil
    }

    /// How many bytes the addresses of a family have.
    private static func addressLength(_ family: UInt8) -> Int {
        switch family >> 4 {
        case 1: 12
        case 2: 36
        case 3: 216
        default: 0
        }
    }

    /// Reads a whole header whose first 16 bytes have been found good.
    static func read(_ bytes: [UInt8]) -> HeaderReader.Result {
        let family = bytes[13]
        let isProxied = bytes[12] == 0x21
        // Of LOCAL and UNSPEC everything is to be skipped, whatever it is.
        guard isProxied, family >> 4 != 0 else { return .complete(.local) }
        if let problem = checkValues(bytes, from: fixedLength + addressLength(family)) { return .malformed(problem) }
        // Only streams come in here; a datagram's addresses say nothing of this connection.
        guard family & 0xF == 1, family >> 4 <= 2 else { return .complete(.local) }
        let size = family >> 4 == 1 ? 4 : 16
        let ports = fixedLength + 2 * size
        func place(_ number: Int) -> ProxyHeader.Place {
            let start = fixedLength + number * size
            let port = UInt16(bytes[ports + 2 * number]) << 8 | UInt16(bytes[ports + 2 * number + 1])
            return .init(address: IPAddress(bytes: bytes[start..<start + size]), port: port)
        }
        return .complete(.proxied(source: place(0), destination: place(1)))
    }

    /// Walks over the values: each must end within the header, and a checksum must be right.
    private static func checkValues(_ bytes: [UInt8], from start: Int) -> HeaderReader.Problem? {
        var index = start
        while index < bytes.count {
            guard index + 3 <= bytes.count else { return .badTLV }
            let length = Int(bytes[index + 1]) << 8 | Int(bytes[index + 2])
            guard index + 3 + length <= bytes.count else { return .badTLV }
            if bytes[index] == checksumType {
                guard length == 4 else { return .badTLV }
                guard isChecksumRight(bytes, at: index + 3) else { return .badChecksum }
            }
            index += 3 + length
        }
        return nil
    }

    /// The checksum is that of the whole header with zeros in its own place.
    private static func isChecksumRight(_ bytes: [UInt8], at place: Int) -> Bool {
        var copy = bytes
        let told = bytes[place..<place + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        for index in place..<place + 4 { copy[index] = 0 }
        return CRC32C.of(copy) == told
    }

    /// The bytes for a header, with a checksum where it is wanted.
    static func write(_ header: ProxyHeader, checksum: Bool = false) -> [UInt8] {
        guard case .proxied(let source, let destination) = header else { return signature + [0x20, 0x00, 0, 0] }
        let isV6 = source.address.isV6 || destination.address.isV6
        func bytes(_ address: IPAddress) -> [UInt8] { isV6 ? address.sixteenBytes : address.bytes }
        let addresses =
            bytes(source.address) + bytes(destination.address) + big(source.port) + big(destination.port)
        let length = UInt16(addresses.count + (checksum ? 7 : 0))
        var whole = signature + [0x21, isV6 ? 0x21 : 0x11] + big(length) + addresses
        guard checksum else { return whole }
        whole += [checksumType, 0, 4, 0, 0, 0, 0]
        let sum = CRC32C.of(whole)
        for index in 0..<4 { whole[whole.count - 4 + index] = UInt8(truncatingIfNeeded: sum >> UInt32(24 - 8 * index)) }
        return whole
    }

    private static func big(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)] }
}

/// The checksum of version 2 (RFC 4960 appendix B).
enum CRC32C {
    static func of(_ bytes: [UInt8]) -> UInt32 {
        var sum = UInt32.max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0x82F6_3B78 : sum >> 1 }
        }
        return ~sum
    }
}
