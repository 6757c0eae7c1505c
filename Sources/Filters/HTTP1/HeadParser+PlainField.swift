internal import FilterAPI

extension HeadParser {
    /// Names beyond this are read the other way.
    private static let plainNameLimit = 64

    /// Reads the next line if it is a field like nearly all of them: a name, a colon, one space, a value without TAB,
    /// CR and LF; all of it there, and nothing wrong with it.
    ///
    /// One look at each byte finds the end of the line and tells that the value is in order. What is not like that is
    /// left to ``field(_:_:_:_:_:_:)``, which knows everything that may be wrong; both say the same of a good line.
    ///
    /// - Returns: whether the line has been read.
    @inline(__always)
    mutating func plainField(
        _ base: UnsafeRawPointer, _ end: Int, _ names: HeaderNameTable, _ headers: inout Headers, _ limits: HeadLimits
    ) throws(Fault) -> Bool {
        let first = lineStart
        let colon = unsafe Scan.find(0x3A, base, first, min(end, first &+ Self.plainNameLimit))
        guard colon > first, colon &+ 3 < end, unsafe Scan.isColonAndSpace(base, colon) else { return false }
        let value = colon &+ 2
        let last = unsafe Scan.control(base, value, end)
        guard last &+ 2 <= end, unsafe Scan.isLineEnd(base, last), last &- first <= limits.field,
            unsafe base.load(fromByteOffset: value, as: UInt8.self) != 0x20,
            unsafe last == value || base.load(fromByteOffset: last &- 1, as: UInt8.self) != 0x20
        else { return false }
        let (token, hash) = unsafe names.find(UnsafeRawBufferPointer(start: base + first, count: colon &- first))
        if token == 0, unsafe nameEnd(base, first, colon) != colon { return false }
        endLine(at: last &+ 2)
        let entry = Headers.Entry(
            nameOffset: UInt32(truncatingIfNeeded: first), valueOffset: UInt32(truncatingIfNeeded: value),
            valueCount: UInt32(truncatingIfNeeded: last &- value), hash: hash,
            nameCount: UInt16(truncatingIfNeeded: colon &- first), token: token)
        unsafe try take(entry, base, &headers, limits)
        return true
    }
}
