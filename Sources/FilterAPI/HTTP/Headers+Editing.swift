extension Headers {
    /// Adds a field last.
    ///
    /// - Returns: false where the value holds CR, LF or NUL: nothing is added then, and the host counts it.
    @discardableResult
    public mutating func add(_ name: HeaderName, _ value: String) -> Bool {
        unsafe add(name, value.utf8Span.span.bytes)
    }

    /// Adds a field last; see the form that takes text.
    @discardableResult
    public mutating func add(_ name: HeaderName, _ value: borrowing RawSpan) -> Bool {
        guard acceptsValue(value) else { return false }
        let nameRange = store(name)
        let valueRange = store(value)
        appendEntry(entry(for: name, nameRange, valueRange))
        return true
    }

    /// Replaces all fields with this name by one, in the place of the first.
    ///
    /// - Returns: false where the value holds CR, LF or NUL: nothing is changed then, and the host counts it.
    @discardableResult
    public mutating func set(_ name: HeaderName, _ value: String) -> Bool {
        unsafe set(name, value.utf8Span.span.bytes)
    }

    /// Replaces all fields with this name by one; see the form that takes text.
    @discardableResult
    public mutating func set(_ name: HeaderName, _ value: borrowing RawSpan) -> Bool {
        let first = index(of: name)
        if first < 0 { return add(name, value) }
        guard acceptsValue(value) else { return false }
        let range = store(value)
        unsafe entries[first].valueOffset = range.offset
        unsafe entries[first].valueCount = range.count
        removeAll(name, from: first + 1)
        return true
    }

    /// Replaces or adds a field whose value is text that the message holds already.
    package mutating func setText(_ name: HeaderName, _ value: TextRange) {
        let first = index(of: name)
        if first >= 0 {
            unsafe entries[first].valueOffset = value.offset
            unsafe entries[first].valueCount = value.count
            removeAll(name, from: first + 1)
            return
        }
        let nameRange = store(name)
        appendEntry(entry(for: name, nameRange, value))
    }

    /// Removes all fields with this name.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    public mutating func remove(_ name: HeaderName) -> Bool {
        let first = index(of: name)
        if first < 0 { return false }
        removeAll(name, from: first)
        return true
    }

    /// Removes the field at a position; those behind it move up.
    public mutating func remove(at index: Int) {
        precondition(index >= 0 && index < entryCount, "no field at this position")
        unsafe (entries + index).update(from: entries + index + 1, count: entryCount - index - 1)
        entryCount -= 1
    }

    /// Makes one field of the crumbs of a cookie, in the place of the first (RFC 9113 section 8.2.3).
    package mutating func joinCookies() {
        let first = index(of: .cookie)
        guard first >= 0 else { return }
        var size = 0
        var index = first
        while index >= 0 {
            size += unsafe Int(entries[index].valueCount) + 2
            index = self.index(of: .cookie, from: index + 1)
        }
        reserve(size)
        let start = used
        index = first
        while index >= 0 {
            if index != first {
                unsafe (bytes + used).storeBytes(of: UInt8(ascii: ";"), as: UInt8.self)
                unsafe (bytes + used + 1).storeBytes(of: UInt8(ascii: " "), as: UInt8.self)
                used += 2
            }
            let entry = unsafe entries[index]
            unsafe (bytes + used).copyMemory(from: bytes + Int(entry.valueOffset), byteCount: Int(entry.valueCount))
            used += Int(entry.valueCount)
            index = self.index(of: .cookie, from: index + 1)
        }
        unsafe entries[first].valueOffset = UInt32(start)
        unsafe entries[first].valueCount = UInt32(used - start)
        removeAll(.cookie, from: first + 1)
    }

    private mutating func removeAll(_ name: HeaderName, from start: Int) {
        var index = index(of: name, from: start)
        while index >= 0 {
            remove(at: index)
            index = self.index(of: name, from: index)
        }
    }

    /// A number as a value, without making a `String`.
    @discardableResult
    public mutating func set(_ name: HeaderName, _ number: Int) -> Bool {
        var digits = DecimalText(number)
        return digits.withBytes { set(name, $0) }
    }

    private func entry(for name: HeaderName, _ nameRange: TextRange, _ valueRange: TextRange) -> Entry {
        Entry(
            nameOffset: nameRange.offset, valueOffset: valueRange.offset, valueCount: valueRange.count,
            hash: name.hash, nameCount: UInt16(nameRange.count), token: name.token)
    }

    private mutating func acceptsValue(_ value: borrowing RawSpan) -> Bool {
        if ASCII.isFieldValue(value) { return true }
        refusedEdits += 1
        return false
    }

    /// Puts a name into the block. Names that a proxy adds are written as people expect them on HTTP/1: `X-Request-Id`.
    private mutating func store(_ name: HeaderName) -> TextRange {
        if name.token != 0 {
            let title = unsafe HeaderNameTable.shared.title(of: name.token)
            // SAFETY: the table's names are never freed.
            return store(unsafe RawSpan(_unsafeBytes: title))
        }
        let range = unsafe store(name.text.utf8Span.span.bytes)
        unsafe HeaderNameTable.titleCase(
            UnsafeMutableRawBufferPointer(start: bytes + Int(range.offset), count: Int(range.count)))
        return range
    }
}
