internal import FilterAPI

/// Who counts as one client: an IPv4 address, or the 64 bits of an IPv6 address that name a network, as one client has
/// all of the addresses below them.
enum ClientNetwork: Hashable {
    case ipv4(UInt32)
    case ipv6(UInt64)
    /// Nothing that is an address, such as the other end of a Unix socket.
    case other

    /// Reads an address without a port; an IPv4 address written as an IPv6 one (`::ffff:192.0.2.1`) is an IPv4 address.
    init(_ address: borrowing RawSpan) {
        // The zone behind a link-local address is ours, not the client's.
        let zone = address.firstIndex(of: UInt8(ascii: "%"))
        let text = address.extracting(0..<(zone < 0 ? address.byteCount : zone))
        if text.firstIndex(of: UInt8(ascii: ":")) < 0 {
            self = Self.ipv4(text).map { .ipv4($0) } ?? .other
        } else {
            self = Self.ipv6(text) ?? .other
        }
    }

    private static func ipv4(_ text: borrowing RawSpan) -> UInt32? {
        var address: UInt32 = 0
        var number: UInt32 = 0
        var digits = 0
        var dots = 0
        for index in 0..<text.byteCount {
            let byte = text.byte(at: index)
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                number = number * 10 + UInt32(byte - UInt8(ascii: "0"))
                digits += 1
                if digits > 3 || number > 255 { return nil }
            case UInt8(ascii: "."):
                dots += 1
                if digits == 0 || dots > 3 { return nil }
                address = address << 8 | number
                number = 0
                digits = 0
            default:
                return nil
            }
        }
        return digits > 0 && dots == 3 ? address << 8 | number : nil
    }

    private static func ipv6(_ text: borrowing RawSpan) -> ClientNetwork? {
        var groups = InlineArray<8, UInt16>(repeating: 0)
        var count = 0
        /// Before which group the zeros go that `::` stands for.
        var gap: Int?
        var index = 0
        if text.byteCount >= 2, text.byte(at: 0) == UInt8(ascii: ":") {
            guard text.byte(at: 1) == UInt8(ascii: ":") else { return nil }
            gap = 0
            index = 2
        }
        while index < text.byteCount {
            let start = index
            var group: UInt16 = 0
            while index < text.byteCount, let digit = hexDigit(text.byte(at: index)) {
                guard index - start < 4 else { return nil }
                group = group << 4 | UInt16(digit)
                index += 1
            }
            if index < text.byteCount, text.byte(at: index) == UInt8(ascii: ".") {
                guard count <= 6, let tail = ipv4(text.extracting(start..<text.byteCount)) else { return nil }
                groups[count] = UInt16(tail >> 16)
                groups[count + 1] = UInt16(tail & 0xFFFF)
                count += 2
                break
            }
            guard index > start, count < 8 else { return nil }
            groups[count] = group
            count += 1
            if index == text.byteCount { break }
            guard text.byte(at: index) == UInt8(ascii: ":"), index + 1 < text.byteCount else { return nil }
            index += 1
            if text.byte(at: index) == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = count
                index += 1
            }
        }
        guard gap == nil ? count == 8 : count < 8 else { return nil }
        return network(groups, count, gap)
    }

    private static func network(_ groups: InlineArray<8, UInt16>, _ count: Int, _ gap: Int?) -> ClientNetwork {
        var whole = InlineArray<8, UInt16>(repeating: 0)
        let before = gap ?? count
        for index in 0..<before { whole[index] = groups[index] }
        for index in before..<count { whole[8 - count + index] = groups[index] }
        var network: UInt64 = 0
        for index in 0..<4 { network = network << 16 | UInt64(whole[index]) }
        if network == 0, whole[4] == 0, whole[5] == 0xFFFF {
            return .ipv4(UInt32(whole[6]) << 16 | UInt32(whole[7]))
        }
        return .ipv6(network)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch ASCII.lower(byte) {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): ASCII.lower(byte) - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
