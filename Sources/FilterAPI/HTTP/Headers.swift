/// The header fields of one message, in the order, the case and the number in which they arrived.
///
/// One block of bytes and one array of ranges into it. Both are kept when the fields are removed, so that a message
/// on a warm worker costs no allocation. Names compare without regard to case; what goes out is written as it came
/// in, or as it was added.
///
/// A field whose name or value could break a message (CR, LF, NUL, a name that is no token) is never stored:
/// `add` and `set` return false, and the host counts it.
///
/// SAFETY: entries hold ranges that were inside `bytes` when written; bytes are only ever appended until all entries
/// are dropped together.
@safe
public struct Headers: ~Copyable {
    @usableFromInline
    package struct Entry {
        @usableFromInline package var nameOffset: UInt32
        @usableFromInline package var valueOffset: UInt32
        @usableFromInline package var valueCount: UInt32
        @usableFromInline package var hash: UInt32
        @usableFromInline package var nameCount: UInt16
        @usableFromInline package var token: UInt16

        @inlinable
        package init(
            nameOffset: UInt32, valueOffset: UInt32, valueCount: UInt32, hash: UInt32, nameCount: UInt16, token: UInt16
        ) {
            self.nameOffset = nameOffset
            self.valueOffset = valueOffset
            self.valueCount = valueCount
            self.hash = hash
            self.nameCount = nameCount
            self.token = token
        }
    }

    @usableFromInline package var bytes: UnsafeMutableRawPointer
    @usableFromInline package var byteCapacity: Int
    @usableFromInline package var entries: UnsafeMutablePointer<Entry>
    @usableFromInline package var entryCapacity: Int
    /// Bytes of the block that are in use, dropped values included.
    @usableFromInline package var used: Int
    /// The number of fields.
    public package(set) var count: Int {
        @inlinable get { entryCount }
        set { entryCount = newValue }
    }
    @usableFromInline package var entryCount: Int
    /// Fields that were refused because they would have broken the message.
    public package(set) var refusedEdits = 0

    /// No fields.
    public init() {
        byteCapacity = 1024
        entryCapacity = 16
        used = 0
        entryCount = 0
        unsafe bytes = UnsafeMutableRawPointer.allocate(byteCount: byteCapacity, alignment: 8)
        unsafe entries = UnsafeMutablePointer<Entry>.allocate(capacity: entryCapacity)
    }

    deinit {
        unsafe bytes.deallocate()
        unsafe entries.deallocate()
    }

    /// Whether there are no fields.
    public var isEmpty: Bool { entryCount == 0 }

    /// Size of all names and values as HTTP/1 writes them, with `: ` and line ends.
    public var wireSize: Int {
        var total = 0
        for index in 0..<entryCount {
            total += unsafe Int(entries[index].nameCount) + Int(entries[index].valueCount) + 4
        }
        return total
    }

    /// Drops all fields and every other text of the message; keeps the memory unless it grew large.
    package mutating func reset() {
        used = 0
        entryCount = 0
        refusedEdits = 0
        if byteCapacity > 8192 {
            unsafe bytes.deallocate()
            byteCapacity = 1024
            unsafe bytes = UnsafeMutableRawPointer.allocate(byteCount: byteCapacity, alignment: 8)
        }
        if entryCapacity > 256 {
            unsafe entries.deallocate()
            entryCapacity = 16
            unsafe entries = UnsafeMutablePointer<Entry>.allocate(capacity: entryCapacity)
        }
    }

    /// Makes room for `extra` more bytes.
    @usableFromInline
    package mutating func reserve(_ extra: Int) {
        guard used + extra > byteCapacity else { return }
        let larger = max(byteCapacity * 2, used + extra)
        let fresh = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 8)
        unsafe fresh.copyMemory(from: bytes, byteCount: used)
        unsafe bytes.deallocate()
        unsafe bytes = fresh
        byteCapacity = larger
    }

    /// Appends raw text to the block and returns where it stands. Not a field until an entry points at it.
    package mutating func store(_ text: borrowing RawSpan) -> TextRange {
        let count = text.byteCount
        reserve(count)
        let offset = used
        unsafe text.withUnsafeBytes { source in
            if let base = source.baseAddress { unsafe (bytes + offset).copyMemory(from: base, byteCount: count) }
        }
        used += count
        return TextRange(offset: UInt32(offset), count: UInt32(count))
    }

    /// Appends an entry for text that is already in the block.
    @inlinable
    package mutating func appendEntry(_ entry: Entry) {
        if entryCount == entryCapacity { growEntries() }
        unsafe (entries + entryCount).initialize(to: entry)
        entryCount &+= 1
    }

    /// Adds a field that a codec has read and checked, with its name as it came.
    package mutating func appendField(
        _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, token: UInt16, hash: UInt32
    ) {
        let offset = used
        reserve(name.count + value.count)
        if let base = name.baseAddress {
            unsafe (bytes + offset).copyMemory(from: base, byteCount: name.count)
        }
        if let base = value.baseAddress {
            unsafe (bytes + offset + name.count).copyMemory(from: base, byteCount: value.count)
        }
        used += name.count + value.count
        appendEntry(
            Entry(
                nameOffset: UInt32(offset), valueOffset: UInt32(offset + name.count), valueCount: UInt32(value.count),
                hash: hash, nameCount: UInt16(truncatingIfNeeded: name.count), token: token))
    }

    @usableFromInline
    mutating func growEntries() {
        let larger = entryCapacity * 2
        let fresh = UnsafeMutablePointer<Entry>.allocate(capacity: larger)
        unsafe fresh.update(from: entries, count: entryCount)
        unsafe entries.deallocate()
        unsafe entries = fresh
        entryCapacity = larger
    }

    /// Text of the block.
    @inlinable
    @_lifetime(borrow self)
    package func text(_ range: TextRange) -> RawSpan {
        let span = unsafe RawSpan(
            _unsafeStart: UnsafeRawPointer(bytes + Int(range.offset)), byteCount: Int(range.count))
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    /// Replaces everything with a copy of `other`, other text of the message included.
    package mutating func copy(from other: borrowing Headers) {
        used = 0
        entryCount = 0
        reserve(other.used)
        unsafe bytes.copyMemory(from: other.bytes, byteCount: other.used)
        used = other.used
        for index in 0..<other.entryCount { unsafe appendEntry(other.entries[index]) }
    }
}

/// Where a piece of text stands in the block of ``Headers``.
@usableFromInline
package struct TextRange {
    @usableFromInline package var offset: UInt32
    @usableFromInline package var count: UInt32

    @usableFromInline
    package init(offset: UInt32, count: UInt32) {
        self.offset = offset
        self.count = count
    }

    /// No text.
    package static var empty: TextRange { TextRange(offset: 0, count: 0) }
}
