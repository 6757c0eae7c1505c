internal import FilterAPI

/// The field `traceparent` (W3C Trace Context level 2, section 3.2).
enum TraceParent {
    /// `00-`, 32 digits, `-`, 16 digits, `-`, 2 digits.
    private static let length = 55
    /// The flags that have a meaning; others are not passed on (section 3.2.2.5).
    private static let known: TraceFlags = [.sampled, .random]

    static func read(_ headers: borrowing Headers) -> TraceReading {
        switch headers.single(.traceparent) {
        case .absent: .absent
        case .repeated: .invalid
        case .at(let index): parse(headers.value(at: index)).map { .valid($0) } ?? .invalid
        }
    }

    static func parse(_ text: RawSpan) -> TraceClaim? {
        guard text.byteCount >= length, isDash(text, 2), isDash(text, 35), isDash(text, 52) else { return nil }
        guard let version = text.lowerHex8(at: 0), version != 0xFF else { return nil }
        // A version to come may have more behind what this one has, and what is there then means the same.
        guard text.byteCount == length || version > 0 && isDash(text, length) else { return nil }
        guard let high = text.lowerHex64(at: 3), let low = text.lowerHex64(at: 19),
            let span = text.lowerHex64(at: 36), let bits = text.lowerHex8(at: 53)
        else { return nil }
        guard high | low != 0, span != 0 else { return nil }
        let flags = TraceFlags(rawValue: bits).intersection(known)
        return TraceClaim(
            trace: TraceID(high: high, low: low), span: span, isSampled: flags.contains(.sampled),
            flags: flags.subtracting(.sampled))
    }

    static func write(_ context: TraceContext, to headers: inout Headers) {
        var text = TraceText()
        text.append("00-")
        text.append(hex: context.trace.high)
        text.append(hex: context.trace.low)
        text.append("-")
        text.append(hex: context.span)
        text.append("-0")
        text.append(digit: context.flags.intersection(known).rawValue)
        text.set(.traceparent, in: &headers)
    }

    private static func isDash(_ text: RawSpan, _ index: Int) -> Bool { text.byte(at: index) == UInt8(ascii: "-") }
}
