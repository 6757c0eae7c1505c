import Glibc

/// An IPv4 or IPv6 address; an IPv4 address inside IPv6 (`::ffff:192.0.2.1`) is an IPv4 address.
struct IPAddress: Hashable, Sendable {
    /// The address as a 128-bit number in two halves, IPv4 in the lowest 32 bits.
    let high: UInt64
    let low: UInt64
    let isV6: Bool

    /// From 4 or 16 bytes in network order.
    init(bytes: ArraySlice<UInt8>) {
        let high = bytes.dropLast(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let low = bytes.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let isMapped = bytes.count == 16 && high == 0 && low >> 32 == 0xFFFF
        self.high = high
        self.low = isMapped ? low & 0xFFFF_FFFF : low
        isV6 = bytes.count == 16 && !isMapped
    }

    /// From text without a port, a zone or brackets.
    ///
    /// - Returns: nil where it is no address in its usual form.
    init?(_ text: String) {
        let isV6 = text.utf8.contains(UInt8(ascii: ":"))
        var bytes = [UInt8](repeating: 0, count: isV6 ? 16 : 4)
        // SAFETY: the array has the size of the address that is asked for.
        guard unsafe inet_pton(isV6 ? AF_INET6 : AF_INET, text, &bytes) == 1 else { return nil }
        self.init(bytes: bytes[...])
    }

    /// 4 or 16 bytes in network order.
    var bytes: [UInt8] { isV6 ? Self.bytes(high) + Self.bytes(low) : Array(Self.bytes(low).suffix(4)) }

    /// 16 bytes in network order, an IPv4 address inside IPv6.
    var sixteenBytes: [UInt8] {
        isV6 ? bytes : [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + bytes
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> UInt64($0)) }
    }

    /// In the usual form, as RFC 5952 has it for IPv6.
    var text: String { isV6 ? Self.text(bytes) : bytes.map(String.init).joined(separator: ".") }

    /// Sixteen bytes as IPv6, also where they hold an IPv4 address.
    static func text(_ bytes: [UInt8]) -> String {
        var room = [CChar](repeating: 0, count: 64)
        // SAFETY: the bytes are sixteen, and the longest text has 46 with its end.
        guard unsafe inet_ntop(AF_INET6, bytes, &room, 64) != nil else { return "::" }
        return String(decoding: room.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// All addresses that begin with the same bits.
struct IPRange: Hashable, Sendable {
    private let first: IPAddress
    private let masks: (high: UInt64, low: UInt64)

    /// From `192.0.2.0/24`, `2001:db8::/32`, or an address for itself alone.
    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = IPAddress(String(parts[0])) else { return nil }
        let width = first.isV6 ? 128 : 32
        var bits = width
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let given = Int(parts[1]), given <= width else {
                return nil
            }
            bits = given
        }
        // An IPv4 address is in the lowest 32 bits of the 128.
        let ones = bits + 128 - width
        // A shift by the whole width gives zero.
        masks = (UInt64.max << UInt64(64 - min(ones, 64)), UInt64.max << UInt64(64 - max(0, ones - 64)))
        guard first.high & ~masks.high == 0, first.low & ~masks.low == 0 else { return nil }
        self.first = first
    }

    /// Whether an address is in here.
    func contains(_ address: IPAddress) -> Bool {
        address.isV6 == first.isV6 && address.high & masks.high == first.high && address.low & masks.low == first.low
    }

    static func == (left: IPRange, right: IPRange) -> Bool { left.first == right.first && left.masks == right.masks }

    func hash(into hasher: inout Hasher) {
        hasher.combine(first)
        hasher.combine(masks.low)
    }
}
