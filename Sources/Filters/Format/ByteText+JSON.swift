internal import FilterAPI

/// Text inside the quotes of a JSON string (RFC 8259 section 7).
extension ByteText {
    /// Makes what was added since some point fit to stand there.
    ///
    /// Bytes that are no UTF-8, which clients may send in fields, become U+FFFD: a log is for programs to read, and many
    /// refuse all of a text with one such byte in it. Most values need nothing, and are only looked at.
    mutating func escapeForJSON(from start: Int) {
        var index = plainEnd(from: start)
        let end = count
        guard index < end else { return }
        append(copyOf: start..<index)
        while index < end {
            index = appendEscaped(at: index, end)
            let next = plainEnd(from: index, end)
            append(copyOf: index..<next)
            index = next
        }
        remove(start..<end)
    }

    /// Adds text as it may stand there.
    package mutating func append(escapedForJSON text: borrowing RawSpan) {
        let start = count
        append(text)
        escapeForJSON(from: start)
    }

    /// Adds the character at an index that cannot stand as it is.
    ///
    /// - Returns: the index behind it.
    private mutating func appendEscaped(at index: Int, _ end: Int) -> Int {
        let byte = bytes.byte(at: index)
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            append(UInt8(ascii: "\\"))
            append(byte)
        case 0..<0x20, 0x7F:
            append("\\u00")
            append(hex: byte)
        case 0x80...:
            let length = Self.characterLength(bytes, at: index, end)
            if length == 0 { append("\\ufffd") } else { append(copyOf: index..<index + length) }
            return index + max(1, length)
        default: append(byte)
        }
        return index + 1
    }

    /// The index of the first byte that does not stand for itself.
    private func plainEnd(from start: Int, _ end: Int? = nil) -> Int {
        let text = bytes
        let end = end ?? text.byteCount
        var index = start
        while index + 8 <= end {
            // SAFETY: eight bytes from here on are there.
            let word = unsafe text.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            if Self.mayHaveSpecial(word) { break }
            index += 8
        }
        while index < end, Self.isPlain(text.byte(at: index)) { index += 1 }
        return index
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// Whether one of eight bytes is special: never says no where there is one.
    private static func mayHaveSpecial(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        func isZeroIn(_ value: UInt64) -> UInt64 { (value &- ones) & ~value }
        let found =
            word | (word &- ones &* 0x20) & ~word | isZeroIn(word ^ ones &* 0x22) | isZeroIn(word ^ ones &* 0x5C)
            | isZeroIn(word ^ ones &* 0x7F)
        return found & (ones &* 0x80) != 0
    }

    /// The length of the character that begins with a byte above 0x7F; 0 where it is no UTF-8 (RFC 3629 section 4).
    private static func characterLength(_ text: RawSpan, at index: Int, _ end: Int) -> Int {
        let first = text.byte(at: index)
        let length: Int
        var range: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF:
            length = 3
            if first == 0xE0 { range = 0xA0...0xBF } else if first == 0xED { range = 0x80...0x9F }
        case 0xF0...0xF4:
            length = 4
            if first == 0xF0 { range = 0x90...0xBF } else if first == 0xF4 { range = 0x80...0x8F }
        default: return 0
        }
        guard index + length <= end, range.contains(text.byte(at: index + 1)) else { return 0 }
        for offset in 2..<max(2, length) where text.byte(at: index + offset) & 0xC0 != 0x80 { return 0 }
        return length
    }

    /// Adds the two digits of a byte.
    mutating func append(hex byte: UInt8) {
        append(Self.hexDigit(byte >> 4))
        append(Self.hexDigit(byte & 15))
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
