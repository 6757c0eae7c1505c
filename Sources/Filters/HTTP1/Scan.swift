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

    /// Whether the bytes may stand in a field's value: no control byte but TAB (RFC 9110 section 5.5).
    @inline(__always)
    static func isValue(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Bool {
        var position = start
        while position &+ 16 <= end {
            let block = unsafe base.loadUnaligned(fromByteOffset: position, as: SIMD16<UInt8>.self)
            let control = block .< SIMD16<UInt8>(repeating: 0x20)
            let tab = block .== SIMD16<UInt8>(repeating: 0x09)
            let delete = block .== SIMD16<UInt8>(repeating: 0x7F)
            if any((control .& .!tab) .| delete) { return false }
            position &+= 16
        }
        while position &+ 8 <= end {
            let word = unsafe base.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            if mayHoldControl(word), unsafe !isPlain(base, position, position &+ 8) { return false }
            position &+= 8
        }
        return unsafe isPlain(base, position, end)
    }

    /// Whether one of eight bytes is below SP or is DEL; may say yes for bytes with the high bit next to one.
    @inline(__always)
    private static func mayHoldControl(_ word: UInt64) -> Bool {
        let low = (word &- 0x2020_2020_2020_2020) & ~word & 0x8080_8080_8080_8080
        let delete = word ^ 0x7F7F_7F7F_7F7F_7F7F
        let deletes = (delete &- 0x0101_0101_0101_0101) & ~delete & 0x8080_8080_8080_8080
        return low | deletes != 0
    }

    private static func isPlain(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Bool {
        var position = start
        while position < end {
            let byte = unsafe base.load(fromByteOffset: position, as: UInt8.self)
            if byte < 0x20 && byte != 0x09 || byte == 0x7F { return false }
            position &+= 1
        }
        return true
    }
}
