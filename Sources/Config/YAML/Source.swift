/// The text of a config file and its lines.
package final class Source: Sendable {
    /// The file's name as the operator wrote it.
    package let name: String
    /// The file without a byte order mark.
    let bytes: [UInt8]
    /// Where each line begins.
    private let lineStarts: [Int]

    init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
        self.lineStarts = Source.lines(of: bytes)
    }

    /// How many lines there are; an empty one after the last line end counts.
    var lineCount: Int { lineStarts.count }

    /// The bytes of a line, counted from 1, without its line end; empty if there is no such line.
    func lineBytes(_ line: Int) -> ArraySlice<UInt8> {
        guard line >= 1, line <= lineStarts.count else { return [] }
        let start = lineStarts[line - 1]
        var end = line < lineStarts.count ? lineStarts[line] : bytes.count
        while end > start, bytes[end - 1] == 0x0A || bytes[end - 1] == 0x0D { end -= 1 }
        return bytes[start..<end]
    }

    /// The text of a line, counted from 1, without its line end.
    func line(_ line: Int) -> String { String(decoding: lineBytes(line), as: UTF8.self) }

    /// The line and column of a byte.
    func position(ofByte offset: Int) -> (line: Int, column: Int) {
        let line = (lineStarts.firstIndex { $0 > offset } ?? lineStarts.count)
        // Bytes that continue a character do not count.
        let column = bytes[lineStarts[line - 1]..<offset].count { $0 & 0xC0 != 0x80 } + 1
        return (line, column)
    }

    private static func lines(of bytes: [UInt8]) -> [Int] {
        var starts = [0]
        for (offset, byte) in bytes.enumerated() {
            let isBreak = byte == 0x0A || (byte == 0x0D && (offset + 1 == bytes.count || bytes[offset + 1] != 0x0A))
            // libyaml counts these as line ends too: U+0085, U+2028, U+2029.
            let isRareBreak =
                (byte == 0x85 && offset >= 1 && bytes[offset - 1] == 0xC2)
                || ((byte == 0xA8 || byte == 0xA9) && offset >= 2 && bytes[offset - 2] == 0xE2
                    && bytes[offset - 1] == 0x80)
            if isBreak || isRareBreak { starts.append(offset + 1) }
        }
        return starts
    }
}
