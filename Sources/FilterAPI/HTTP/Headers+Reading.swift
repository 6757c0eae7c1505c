extension Headers {
    /// The position of the first field with this name, at or behind `start`; -1 where there is none.
    @inlinable
    public func index(of name: HeaderName, from start: Int = 0) -> Int {
        var index = start
        if name.token != 0 {
            while index < entryCount {
                if unsafe entries[index].token == name.token { return index }
                index &+= 1
            }
            return -1
        }
        return indexOfOther(name, from: start)
    }

    @usableFromInline
    func indexOfOther(_ name: HeaderName, from start: Int) -> Int {
        for index in start..<max(start, entryCount) {
            let entry = unsafe entries[index]
            guard entry.token == 0, entry.hash == name.hash, Int(entry.nameCount) == name.text.utf8.count else {
                continue
            }
            if ASCII.equalIgnoringCase(self.name(at: index), unsafe name.text.utf8Span.span.bytes) { return index }
        }
        return -1
    }

    /// Whether there is a field with this name.
    @inlinable
    public func contains(_ name: HeaderName) -> Bool { index(of: name) >= 0 }

    /// The name of the field at a position, in the case in which it will be written.
    @inlinable
    @_lifetime(borrow self)
    public func name(at index: Int) -> RawSpan {
        precondition(index >= 0 && index < entryCount, "no field at this position")
        let entry = unsafe entries[index]
        return text(TextRange(offset: entry.nameOffset, count: UInt32(entry.nameCount)))
    }

    /// The value of the field at a position, without white space around it.
    @inlinable
    @_lifetime(borrow self)
    public func value(at index: Int) -> RawSpan {
        precondition(index >= 0 && index < entryCount, "no field at this position")
        let entry = unsafe entries[index]
        return text(TextRange(offset: entry.valueOffset, count: entry.valueCount))
    }

    /// Whether the field at a position has this name.
    @inlinable
    public func isName(_ name: HeaderName, at index: Int) -> Bool {
        precondition(index >= 0 && index < entryCount, "no field at this position")
        let entry = unsafe entries[index]
        if name.token != 0 || entry.token != 0 { return entry.token == name.token }
        return self.index(of: name, from: index) == index
    }

    /// Reads the value of the first field with this name, without copying it.
    ///
    /// - Returns: what `body` returned, nil where there is no such field.
    @inlinable
    public func withValue<R>(_ name: HeaderName, _ body: (RawSpan) -> R) -> R? {
        let index = index(of: name)
        return index < 0 ? nil : body(value(at: index))
    }

    /// The value of the first field with this name as text; a `String` is made, so prefer
    /// ``withValue(_:_:)`` or ``equals(_:_:)`` where every request comes by.
    public subscript(name: HeaderName) -> String? {
        withValue(name) { ASCII.string($0) }
    }

    /// The values of all fields with this name, in order.
    public func values(_ name: HeaderName) -> [String] {
        var found: [String] = []
        var index = index(of: name)
        while index >= 0 {
            found.append(ASCII.string(value(at: index)))
            index = self.index(of: name, from: index + 1)
        }
        return found
    }

    /// Whether the first field with this name has just this value.
    public func equals(_ name: HeaderName, _ value: StaticString) -> Bool {
        withValue(name) { ASCII.equal($0, value) } ?? false
    }

    /// Whether a field with this name lists `token`, in any case (RFC 9110 section 5.6.1).
    public func hasToken(_ name: HeaderName, _ token: StaticString) -> Bool {
        var index = index(of: name)
        while index >= 0 {
            if ASCII.lists(value(at: index), token) { return true }
            index = self.index(of: name, from: index + 1)
        }
        return false
    }
}
