internal import FilterAPI

/// Numbers as digits of base 16 in lower case, eight at once: a word holds one digit in each byte, the first in the byte
/// of the lowest address.
enum LowerHex {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    /// The eight digits of a number.
    @inline(__always)
    static func digits(_ number: UInt32) -> UInt64 {
        // One nibble to each byte, and to each what takes 0 to 9 to `0` to `9`, and 10 to 15 to `a` to `f`.
        var word = UInt64(number)
        word = (word | word << 16) & 0x0000_FFFF_0000_FFFF
        word = (word | word << 8) & 0x00FF_00FF_00FF_00FF
        word = (word | word << 4) & 0x0F0F_0F0F_0F0F_0F0F
        let letters = (word &+ 6 &* ones) >> 4 & ones
        return (word &+ 0x30 &* ones &+ 0x27 &* letters).bigEndian
    }

    /// The number that eight digits are; nil where one of them is none, or is in upper case.
    @inline(__always)
    static func number(_ digits: UInt64) -> UInt32? {
        // With the top bit of a byte clear, adding 0x80 - n sets it where the byte is at least n, and nothing is carried.
        let isDigit = (digits &+ 0x50 &* ones) & ~(digits &+ 0x46 &* ones)
        let isLetter = (digits &+ 0x1F &* ones) & ~(digits &+ 0x19 &* ones)
        guard digits & tops == 0, (isDigit | isLetter) & tops == tops else { return nil }
        var word = ((digits & (0x0F &* ones)) &+ 9 &* ((isLetter & tops) >> 7)).bigEndian
        word = (word | word >> 4) & 0x00FF_00FF_00FF_00FF
        word = (word | word >> 8) & 0x0000_FFFF_0000_FFFF
        return UInt32(truncatingIfNeeded: word | word >> 16)
    }
}

extension RawSpan {
    /// The number that the 16 digits from `start` are, of base 16 and in lower case; nil where they are not.
    @inline(__always)
    func lowerHex64(at start: Int) -> UInt64? {
        guard start >= 0, start &+ 16 <= byteCount else { return nil }
        // SAFETY: 16 bytes from `start` are there.
        let (first, second) = unsafe (
            unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self),
            unsafeLoadUnaligned(fromByteOffset: start &+ 8, as: UInt64.self)
        )
        guard let high = LowerHex.number(first), let low = LowerHex.number(second) else { return nil }
        return UInt64(high) << 32 | UInt64(low)
    }

    /// The number that the two digits from `start` are.
    func lowerHex8(at start: Int) -> UInt8? {
        guard start >= 0, start + 2 <= byteCount else { return nil }
        guard let high = Self.nibble(byte(at: start)), let low = Self.nibble(byte(at: start + 1)) else { return nil }
        return high << 4 | low
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
