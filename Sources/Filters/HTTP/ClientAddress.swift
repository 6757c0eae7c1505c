internal import FilterAPI

/// Finds the client in `x-forwarded-for`, to which each proxy in front has appended the address that it saw.
enum ClientAddress {
    /// The address that the outermost of the trusted proxies saw: with one proxy the last in the list, with two the last
    /// but one. What stands before it may be the client's own invention.
    ///
    /// - Returns: an empty range where the list is shorter, or has no address there.
    static func find(_ headers: borrowing Headers, hops: Int) -> TextRange {
        var left = hops - count(headers)
        guard left <= 0 else { return .empty }
        // Counted from the first of the list: this many are to be passed over.
        left = -left
        var index = headers.index(of: .xForwardedFor)
        while index >= 0 {
            let offset = unsafe headers.entries[index].valueOffset
            let text = headers.value(at: index)
            let elements = commas(text) + 1
            if left < elements {
                let element = element(left, of: text)
                guard isAddress(text.extracting(element)) else { return .empty }
                return TextRange(offset: offset + UInt32(element.lowerBound), count: UInt32(element.count))
            }
            left -= elements
            index = headers.index(of: .xForwardedFor, from: index + 1)
        }
        return .empty
    }

    private static func count(_ headers: borrowing Headers) -> Int {
        var total = 0
        var index = headers.index(of: .xForwardedFor)
        while index >= 0 {
            total += commas(headers.value(at: index)) + 1
            index = headers.index(of: .xForwardedFor, from: index + 1)
        }
        return total
    }

    private static func commas(_ text: borrowing RawSpan) -> Int {
        var count = 0
        for index in 0..<text.byteCount where text.byte(at: index) == UInt8(ascii: ",") { count += 1 }
        return count
    }

    /// Bounds of the n-th element, without the blanks around it.
    private static func element(_ number: Int, of text: borrowing RawSpan) -> Range<Int> {
        var start = 0
        var left = number
        while left > 0 {
            if text.byte(at: start) == UInt8(ascii: ",") { left -= 1 }
            start += 1
        }
        var end = start
        while end < text.byteCount, text.byte(at: end) != UInt8(ascii: ",") { end += 1 }
        while start < end, Scan.isBlank(text.byte(at: start)) { start += 1 }
        while end > start, Scan.isBlank(text.byte(at: end - 1)) { end -= 1 }
        return start..<end
    }

    /// Whether a text can be an IPv4 or IPv6 address: a proxy that hides it writes `unknown`, and a port is not part of it.
    private static func isAddress(_ text: borrowing RawSpan) -> Bool {
        guard text.byteCount >= 2, text.byteCount <= 45 else { return false }
        var colons = 0
        var dots = 0
        for index in 0..<text.byteCount {
            switch text.byte(at: index) {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): break
            case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
                if dots > 0 { return false }
            case UInt8(ascii: ":"): colons += 1
            case UInt8(ascii: "."): dots += 1
            default: return false
            }
        }
        return colons == 0 ? dots == 3 : colons >= 2 && (dots == 0 || dots == 3)
    }
}
