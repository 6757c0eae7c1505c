internal import FilterAPI

/// Bytes as text in which nothing is invisible: `\r`, `\n`, `\t`, `\\` and `\xNN` for what is not printable ASCII.
public func printable(_ bytes: some Sequence<UInt8>) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.underestimatedCount)
    func escape(_ character: Unicode.Scalar) {
        text.append(UInt8(ascii: "\\"))
        text.append(UInt8(ascii: character))
    }
    for byte in bytes {
        switch byte {
        case 0x0D: escape("r")
        case 0x0A: escape("n")
        case 0x09: escape("t")
        case UInt8(ascii: "\\"): escape("\\")
        case 0x20..<0x7F: text.append(byte)
        default:
            escape("x")
            if byte < 16 { text.append(UInt8(ascii: "0")) }
            text += Array(String(byte, radix: 16).utf8)
        }
    }
    return String(decoding: text, as: UTF8.self)
}

extension RawSpan {
    /// A copy of the bytes.
    var copied: [UInt8] {
        unsafe withUnsafeBytes { unsafe Array($0) }
    }
}

extension ByteChunk {
    /// A copy of the bytes.
    borrowing func copied() -> [UInt8] {
        unsafe withUnsafeBytes { unsafe Array($0) }
    }
}

extension PagePool {
    /// A chunk with a copy of bytes from an array.
    func chunk(copying bytes: [UInt8]) -> ByteChunk {
        bytes.isEmpty ? ByteChunk() : unsafe chunk(copying: bytes.span.bytes)
    }
}
