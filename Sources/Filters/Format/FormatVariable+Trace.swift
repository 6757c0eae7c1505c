internal import FilterAPI

extension FormatVariable {
    /// Appends the value of a variable about the trace; nothing for others.
    func append(_ context: TraceContext, _ text: inout ByteText) {
        switch self {
        case .traceID:
            text.append(lowerHex: context.trace.high)
            text.append(lowerHex: context.trace.low)
        case .spanID: text.append(lowerHex: context.span)
        default: break
        }
    }
}

extension ByteText {
    /// Adds the 16 digits of a number.
    mutating func append(lowerHex number: UInt64) {
        let digits: InlineArray<2, UInt64> = [
            LowerHex.digits(UInt32(truncatingIfNeeded: number >> 32)),
            LowerHex.digits(UInt32(truncatingIfNeeded: number)),
        ]
        // SAFETY: numbers have no padding.
        unsafe append(digits.span.bytes)
    }
}
