internal import FilterAPI

/// Makes identifiers for requests, in the form of random UUIDs (RFC 9562 section 5.4). Not secrets.
struct RequestIDs {
    private var random = RandomBits()

    /// Adds a new `x-request-id`.
    mutating func add(to headers: inout Headers) {
        let high = random.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = random.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        var text: InlineArray<36, UInt8> = InlineArray(repeating: UInt8(ascii: "-"))
        var position = 0
        for nibble in 0..<32 {
            if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 { position += 1 }
            let word = nibble < 16 ? high : low
            let digit = UInt8(truncatingIfNeeded: word >> UInt64((15 - nibble % 16) * 4) & 15)
            text[position] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            position += 1
        }
        unsafe headers.set(.xRequestID, text.span.bytes)
    }
}
