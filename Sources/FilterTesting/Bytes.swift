internal import FilterAPI

/// Bytes as text in which nothing is invisible: `\r`, `\n`, `\t`, `\\` and `\xNN` for what is not printable ASCII.
public func printable(_ bytes: some Sequence<UInt8>) -> String {
    var text = ""
    for byte in bytes {
        switch byte {
        case 0x0D: text += "\\r"
        case 0x0A: text += "\\n"
        case 0x09: text += "\\t"
        case UInt8(ascii: "\\"): text += "\\\\"
        case 0x20..<0x7F: text.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            let digits = String(byte, radix: 16)
            text += "\\x" + (digits.count < 2 ? "0" : "") + digits
        }
    }
    return text
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
