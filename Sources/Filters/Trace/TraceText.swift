internal import FilterAPI

/// The value of a field while it is put together, without memory of its own.
struct TraceText {
    /// As long as the longest: `b3` with all its parts has 68.
    private var bytes: InlineArray<72, UInt8> = InlineArray(repeating: 0)
    private var count = 0

    /// Adds 16 digits.
    mutating func append(hex number: UInt64) {
        store(LowerHex.digits(UInt32(truncatingIfNeeded: number >> 32)))
        store(LowerHex.digits(UInt32(truncatingIfNeeded: number)))
    }

    /// Adds one digit of base 10.
    mutating func append(digit: UInt8) {
        bytes[count] = UInt8(ascii: "0") + digit
        count += 1
    }

    mutating func append(_ text: StaticString) {
        for index in 0..<text.utf8CodeUnitCount {
            // SAFETY: the index is below the count.
            bytes[count] = unsafe text.utf8Start[index]
            count += 1
        }
    }

    /// Adds the identifier of a trace: one of 64 bits as such, for upstreams that know no longer ones.
    mutating func append(_ trace: TraceID) {
        if trace.high != 0 { append(hex: trace.high) }
        append(hex: trace.low)
    }

    /// Makes it the value of a field, the only one with that name.
    func set(_ name: HeaderName, in headers: inout Headers) {
        // SAFETY: bytes have no padding.
        unsafe headers.set(name, bytes.span.bytes.extracting(first: count))
    }

    private mutating func store(_ word: UInt64) {
        var span = bytes.mutableSpan
        var raw = unsafe span.mutableBytes
        raw.storeBytes(of: word, toByteOffset: count, as: UInt64.self)
        count += 8
    }
}
