/// Reads numbers and texts out of a file's bytes; what lies outside is a fault.
struct ELFBytes {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var count: Int { bytes.count }

    /// A number of so many bytes, which must fit an `Int`.
    func word(_ offset: Int, _ size: Int) throws(ELFFault) -> Int {
        guard offset >= 0, offset <= bytes.count - size else { throw .cutShort }
        var value: UInt64 = 0
        for index in 0..<size { value |= UInt64(bytes[offset + index]) << UInt64(index * 8) }
        guard let number = Int(exactly: value) else { throw .broken("table of sections") }
        return number
    }

    /// A number with a sign, of four bytes.
    func signed(_ offset: Int) throws(ELFFault) -> Int {
        Int(Int32(truncatingIfNeeded: try word(offset, 4)))
    }

    /// A text up to its zero byte, which must lie within `range`.
    func text(_ offset: Int, in range: Range<Int>) throws(ELFFault) -> String {
        guard range.contains(offset), range.upperBound <= bytes.count,
            let end = bytes[offset..<range.upperBound].firstIndex(of: 0)
        else { throw .broken("table of texts") }
        return String(decoding: bytes[offset..<end], as: UTF8.self)
    }
}
