extension Headers {
    /// Makes one field of all those with a name: their values in order, and `text` behind them.
    ///
    /// SAFETY: `reserve` has made room for what is copied; the values that are read stay where they are meanwhile.
    public mutating func appendToList(_ name: HeaderName, _ text: borrowing RawSpan) {
        var total = text.byteCount
        var index = index(of: name)
        if index < 0 {
            add(name, text)
            return
        }
        while index >= 0 {
            total += unsafe Int(entries[index].valueCount) + 2
            index = self.index(of: name, from: index + 1)
        }
        reserve(total)
        let start = used
        index = self.index(of: name)
        while index >= 0 {
            let entry = unsafe entries[index]
            if entry.valueCount > 0 {
                copyWithin(entry.valueOffset, entry.valueCount)
                unsafe bytes.storeBytes(of: 0x202C, toByteOffset: used, as: UInt16.self)
                used += 2
            }
            index = self.index(of: name, from: index + 1)
        }
        _ = store(text)
        setText(name, TextRange(offset: UInt32(start), count: UInt32(used - start)))
    }

    /// SAFETY: the caller has reserved the room.
    private mutating func copyWithin(_ offset: UInt32, _ count: UInt32) {
        unsafe (bytes + used).copyMemory(from: bytes + Int(offset), byteCount: Int(count))
        used += Int(count)
    }
}
