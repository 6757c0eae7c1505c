/// Texts as filters read them: bytes, without a copy or a `String`.
extension RawSpan {
    /// The byte at an index below `byteCount`.
    @inlinable @inline(__always)
    public func byte(at index: Int) -> UInt8 {
        precondition(index >= 0 && index < byteCount, "no byte at this index")
        // SAFETY: the index was checked.
        return unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self)
    }

    /// The index of the first such byte at or behind `start`; -1 where there is none.
    @inlinable
    public func firstIndex(of byte: UInt8, from start: Int = 0) -> Int {
        var index = start
        while index < byteCount {
            if self.byte(at: index) == byte { return index }
            index += 1
        }
        return -1
    }

    /// Whether the text begins with `other`.
    @inlinable
    public func starts(with other: RawSpan) -> Bool {
        let count = other.byteCount
        guard byteCount >= count else { return false }
        for index in 0..<count where byte(at: index) != other.byte(at: index) { return false }
        return true
    }

    /// Whether the text ends with `other`.
    @inlinable
    public func ends(with other: RawSpan) -> Bool {
        let gap = byteCount - other.byteCount
        guard gap >= 0 else { return false }
        for index in 0..<other.byteCount where byte(at: gap + index) != other.byte(at: index) { return false }
        return true
    }

    /// Whether `other` stands anywhere in the text.
    @inlinable
    public func contains(_ other: RawSpan) -> Bool {
        let last = byteCount - other.byteCount
        guard last >= 0 else { return false }
        for start in 0...last where extracting(start..<byteCount).starts(with: other) { return true }
        return false
    }
}
