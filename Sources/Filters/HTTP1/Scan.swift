internal import Glibc

/// Loops over bytes that are worth more than one byte at a time.
///
/// SAFETY: loads stay below the given end.
enum Scan {
    /// The position of the next line feed at or behind `start`; `end` where there is none.
    @inline(__always)
    static func lineFeed(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Int {
        if start >= end { return end }
        guard let found = unsafe memchr(base + start, 0x0A, end - start) else { return end }
        return unsafe UnsafeRawPointer(found) - base
    }

    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// Whether CR and LF stand at a position.
    @inline(__always)
    static func isLineEnd(_ base: UnsafeRawPointer, _ position: Int) -> Bool {
        unsafe base.loadUnaligned(fromByteOffset: position, as: UInt16.self) == 0x0A0D
    }

    /// Whether a colon and a space stand at a position.
    @inline(__always)
    static func isColonAndSpace(_ base: UnsafeRawPointer, _ position: Int) -> Bool {
        unsafe base.loadUnaligned(fromByteOffset: position, as: UInt16.self) == 0x203A
    }

    /// The position of the next byte that is `byte`; at least `end` where it is none of those that were looked at.
    ///
    /// Looks at eight bytes at a time and at none behind `end`, so that it may miss one among the last seven.
    @inline(__always)
    static func find(_ byte: UInt8, _ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Int {
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        var position = start
        while position &+ 8 <= end {
            let word = unsafe base.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let found = zeros(word ^ pattern)
            if found != 0 { return position &+ found.trailingZeroBitCount &>> 3 }
            position &+= 8
        }
        return end
    }

    /// The position of the first control byte, TAB and DEL among them; `end` where there is none.
    @inline(__always)
    static func control(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Int {
        var position = start
        while position &+ 16 <= end {
            let block = unsafe base.loadUnaligned(fromByteOffset: position, as: SIMD16<UInt8>.self)
            let found = (block .< SIMD16<UInt8>(repeating: 0x20)) .| (block .== SIMD16<UInt8>(repeating: 0x7F))
            let halves = unsafe unsafeBitCast(found, to: SIMD2<UInt64>.self)
            if halves[0] | halves[1] != 0 {
                return halves[0] != 0
                    ? position &+ halves[0].trailingZeroBitCount &>> 3
                    : position &+ 8 &+ halves[1].trailingZeroBitCount &>> 3
            }
            position &+= 16
        }
        while position < end {
            let byte = unsafe base.load(fromByteOffset: position, as: UInt8.self)
            if byte < 0x20 || byte == 0x7F { return position }
            position &+= 1
        }
        return end
    }

    /// Whether the bytes may stand in a field's value: no control byte but TAB (RFC 9110 section 5.5).
    static func isValue(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Bool {
        var position = start
        while true {
            position = unsafe control(base, position, end)
            if position >= end { return true }
            if unsafe base.load(fromByteOffset: position, as: UInt8.self) != 0x09 { return false }
            position &+= 1
        }
    }

    /// The highest bit of each byte that is zero; bits above the lowest of them may be wrong.
    @inline(__always)
    private static func zeros(_ word: UInt64) -> UInt64 {
        (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
    }
}
