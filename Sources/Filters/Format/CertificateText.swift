internal import FilterAPI

/// Text from certificates and handshakes, as it may stand in logs and in fields.
///
/// Whoever asked for a certificate has chosen what is in it, within what its issuer lets pass.
extension ByteText {
    /// Adds a distinguished name in printable ASCII, in which no quotation mark stands and no backslash is last.
    ///
    /// What must not stand there is written as RFC 4514 section 2.4 allows, by its hexadecimal digits: the name stays
    /// the same to those who read it as a name, and text in quotes ends where it should for all others.
    mutating func append(distinguishedName text: String) {
        // SAFETY: the string outlives the span.
        let text = unsafe text.utf8Span.span.bytes
        var index = 0
        while index < text.byteCount {
            var byte = text.byte(at: index)
            index += 1
            guard byte == UInt8(ascii: "\\"), index < text.byteCount else {
                append(nameByte: byte)
                continue
            }
            byte = text.byte(at: index)
            index += 1
            if Self.isPlain(byte) || byte == UInt8(ascii: " ") { append("\\") }
            append(nameByte: byte)
        }
    }

    private mutating func append(nameByte byte: UInt8) {
        if Self.isPlain(byte) || byte == UInt8(ascii: " ") { return append(byte) }
        append(UInt8(ascii: "\\"))
        append(upperHex: byte)
    }

    /// Adds an alternative name, a host's or a protocol's: what cannot stand in one is percent-encoded.
    ///
    /// - Parameter isElement: whether commas part it from others, so that it must have none itself.
    mutating func append(name text: String, isElement: Bool = false) {
        // SAFETY: the string outlives the span.
        let text = unsafe text.utf8Span.span.bytes
        for index in 0..<text.byteCount {
            let byte = text.byte(at: index)
            let stays = Self.isPlain(byte) && !(isElement && byte == UInt8(ascii: ","))
            if stays { append(byte) } else { append(percentEncoded: byte) }
        }
    }

    /// Adds text with everything percent-encoded but what never needs it (RFC 3986 section 2.3).
    mutating func append(percentEncoded text: String) {
        // SAFETY: the string outlives the span.
        let text = unsafe text.utf8Span.span.bytes
        reserve(text.byteCount)
        for index in 0..<text.byteCount {
            let byte = text.byte(at: index)
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                append(byte)
            default: append(percentEncoded: byte)
            }
        }
    }

    private mutating func append(percentEncoded byte: UInt8) {
        append(UInt8(ascii: "%"))
        append(upperHex: byte)
    }

    private mutating func append(upperHex byte: UInt8) {
        append(Self.upperHexDigit(byte >> 4))
        append(Self.upperHexDigit(byte & 15))
    }

    private static func upperHexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }

    /// Printable ASCII but for the space, the quotation mark and the backslash.
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }
}
