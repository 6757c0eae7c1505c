internal import Engine

/// All addresses that begin with the same bits: `10.0.0.0/8`, `2001:db8::/32`, or one address alone.
struct AddressRange: Sendable, Hashable {
    private let family: SocketAddress.Family
    private let high: UInt64
    private let low: UInt64
    /// How many bits count, of the 128 that all addresses are held in here.
    private let bits: Int

    /// - Throws: what is wrong with the text.
    init(_ text: String) throws(AddressError) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let isV6 = parts[0].contains(":")
        guard let address = SocketAddress(parsing: isV6 ? "[\(parts[0])]:0" : "\(parts[0]):0"),
            !parts[0].isEmpty, !parts[0].contains("%"), let number = address.ipNumber,
            address.family == (isV6 ? .v6 : .v4)
        else { throw AddressError(message: "`\(text)` is not an IP address or a range of them") }
        let width = isV6 ? 128 : 32
        var length = width
        if parts.count == 2 {
            guard let given = Self.length(parts[1]), given <= width else {
                throw AddressError(message: "`\(text)`: behind the `/` a number from 0 to \(width) is needed")
            }
            length = given
        }
        family = address.family
        (high, low) = number
        bits = 128 - width + length
        let (highMask, lowMask) = Self.masks(bits)
        // An IPv4 address is in the lowest 32 bits, the others of which are zero.
        guard high & ~highMask == 0, low & ~lowMask == 0 else {
            throw AddressError(message: "`\(text)` has bits behind its first \(length)")
        }
    }

    private static func length(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else {
            return nil
        }
        return Int(text)
    }

    private static func masks(_ bits: Int) -> (high: UInt64, low: UInt64) {
        // A shift by the whole width gives zero.
        (UInt64.max << UInt64(64 - min(bits, 64)), UInt64.max << UInt64(64 - max(0, bits - 64)))
    }

    /// Whether an address is in here. One of a Unix socket never is.
    func contains(_ address: SocketAddress) -> Bool {
        guard address.family == family, let number = address.ipNumber else { return false }
        let (highMask, lowMask) = Self.masks(bits)
        return number.high & highMask == high && number.low & lowMask == low
    }

    /// Whether all addresses of another range are in here.
    func contains(_ other: AddressRange) -> Bool {
        let (highMask, lowMask) = Self.masks(bits)
        return family == other.family && bits <= other.bits && other.high & highMask == high
            && other.low & lowMask == low
    }
}
