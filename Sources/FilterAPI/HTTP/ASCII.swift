/// Comparisons and conversions of text that has no encoding but ASCII.
///
/// SAFETY: `unsafeLoad` is used at offsets below `byteCount` only, as the loops' bounds show.
public enum ASCII {
    /// The text as a `String`; bytes that are not UTF-8 are replaced.
    public static func string(_ text: borrowing RawSpan) -> String {
        unsafe text.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// Byte for byte the same.
    public static func equal(_ text: borrowing RawSpan, _ other: StaticString) -> Bool {
        let count = other.utf8CodeUnitCount
        guard text.byteCount == count else { return false }
        for index in 0..<count
        where unsafe text.unsafeLoad(fromByteOffset: index, as: UInt8.self) != other.utf8Start[index] {
            return false
        }
        return true
    }

    /// Byte for byte the same.
    public static func equal(_ text: borrowing RawSpan, _ other: borrowing RawSpan) -> Bool {
        guard text.byteCount == other.byteCount else { return false }
        for index in 0..<text.byteCount
        where unsafe text.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            != other.unsafeLoad(fromByteOffset: index, as: UInt8.self)
        {
            return false
        }
        return true
    }

    /// The same but for the case of letters.
    public static func equalIgnoringCase(_ text: borrowing RawSpan, _ other: borrowing RawSpan) -> Bool {
        guard text.byteCount == other.byteCount else { return false }
        for index in 0..<text.byteCount
        where unsafe lower(text.unsafeLoad(fromByteOffset: index, as: UInt8.self))
            != lower(other.unsafeLoad(fromByteOffset: index, as: UInt8.self))
        {
            return false
        }
        return true
    }

    /// The same but for the case of letters; `other` is in lower case.
    public static func equalIgnoringCase(_ text: borrowing RawSpan, _ other: StaticString) -> Bool {
        guard text.byteCount == other.utf8CodeUnitCount else { return false }
        for index in 0..<text.byteCount
        where unsafe lower(text.unsafeLoad(fromByteOffset: index, as: UInt8.self)) != other.utf8Start[index] {
            return false
        }
        return true
    }

    /// A byte with letters in lower case.
    @inlinable @inline(__always)
    public static func lower(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }

    /// Whether a comma-separated list holds `token`, which is in lower case (RFC 9110 section 5.6.1).
    public static func lists(_ list: borrowing RawSpan, _ token: StaticString) -> Bool {
        var start = 0
        let count = list.byteCount
        while start <= count {
            var end = start
            while end < count, unsafe list.unsafeLoad(fromByteOffset: end, as: UInt8.self) != UInt8(ascii: ",") {
                end += 1
            }
            if equalIgnoringCase(trimmed(list.extracting(start..<end)), token) { return true }
            start = end + 1
        }
        return false
    }

    /// The text without spaces and tabs around it.
    @_lifetime(copy text)
    public static func trimmed(_ text: RawSpan) -> RawSpan {
        var start = 0
        var end = text.byteCount
        while start < end, unsafe isBlank(text.unsafeLoad(fromByteOffset: start, as: UInt8.self)) { start += 1 }
        while end > start, unsafe isBlank(text.unsafeLoad(fromByteOffset: end - 1, as: UInt8.self)) { end -= 1 }
        return text.extracting(start..<end)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// Whether text may be a field's value: no CR, LF, NUL or other control byte but TAB (RFC 9110 section 5.5).
    public static func isFieldValue(_ text: borrowing RawSpan) -> Bool {
        var index = 0
        // Eight bytes at once, as long as none of them is a control byte of any kind.
        while index &+ 8 <= text.byteCount {
            let word = unsafe text.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            guard !hasControl(word) else { break }
            index &+= 8
        }
        while index < text.byteCount {
            let byte = unsafe text.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            if byte < 0x20 && byte != 0x09 || byte == 0x7F { return false }
            index &+= 1
        }
        return true
    }

    /// Whether one of eight bytes is below 0x20, or 0x7F.
    @inline(__always)
    private static func hasControl(_ word: UInt64) -> Bool {
        let tops: UInt64 = 0x8080_8080_8080_8080
        let low = (word &- 0x2020_2020_2020_2020) & ~word & tops
        let delete = word ^ 0x7F7F_7F7F_7F7F_7F7F
        return low | (delete &- 0x0101_0101_0101_0101) & ~delete & tops != 0
    }

    /// A whole number of digits only; nil where there is anything else, or it does not fit.
    public static func number(_ text: borrowing RawSpan) -> Int? {
        guard text.byteCount > 0, text.byteCount <= 19 else { return nil }
        var value = 0
        for index in 0..<text.byteCount {
            let digit = unsafe text.unsafeLoad(fromByteOffset: index, as: UInt8.self) &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(digit))
            if overflow || carry { return nil }
            value = sum
        }
        return value
    }
}

/// The decimal digits of a number in place, without a `String`.
package struct DecimalText {
    private var digits: InlineArray<20, UInt8> = InlineArray(repeating: 0)
    private var start = 20

    /// The digits of a number that is not negative.
    ///
    /// - Parameter unit: a byte that follows them; nil for none.
    package init(_ number: Int, unit: UInt8? = nil) {
        if let unit {
            start = 19
            digits[19] = unit
        }
        var rest = UInt(max(0, number))
        repeat {
            start -= 1
            digits[start] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        } while rest > 0
    }

    /// Shows the digits.
    package mutating func withBytes<R>(_ body: (RawSpan) -> R) -> R {
        unsafe body(digits.span.bytes.extracting(start..<20))
    }
}
