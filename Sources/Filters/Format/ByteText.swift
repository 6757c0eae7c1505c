internal import FilterAPI

/// Text that grows at its end: what formats are rendered into.
///
/// Emptied and filled again it costs no allocation, once it has grown to what is needed.
///
/// SAFETY: `memory` has room for `capacity` bytes, of which the first `count` are initialised; it is freed once.
@safe
package struct ByteText: ~Copyable {
    private var memory: UnsafeMutableRawPointer
    private var capacity: Int
    /// The number of bytes.
    package private(set) var count = 0

    /// No text, with room for some.
    package init(capacity: Int = 256) {
        self.capacity = max(16, capacity)
        unsafe memory = .allocate(byteCount: self.capacity, alignment: 8)
    }

    deinit { unsafe memory.deallocate() }

    /// Whether there are no bytes.
    package var isEmpty: Bool { count == 0 }

    /// The text.
    package var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(memory), byteCount: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Drops all text; the memory is kept unless it grew large.
    package mutating func removeAll() {
        count = 0
        guard capacity > 64 << 10 else { return }
        unsafe memory.deallocate()
        capacity = 4096
        unsafe memory = .allocate(byteCount: capacity, alignment: 8)
    }

    /// Drops text from the end.
    package mutating func truncate(to length: Int) {
        precondition(length >= 0, "a text has no negative length")
        if length < count { count = length }
    }

    /// Makes room for that many bytes more.
    package mutating func reserve(_ extra: Int) {
        guard count + extra > capacity else { return }
        let larger = max(capacity * 2, count + extra)
        let fresh = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 8)
        unsafe fresh.copyMemory(from: memory, byteCount: count)
        unsafe memory.deallocate()
        unsafe memory = fresh
        capacity = larger
    }

    /// Adds one byte.
    @inline(__always)
    package mutating func append(_ byte: UInt8) {
        reserve(1)
        unsafe memory.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    /// Adds bytes.
    package mutating func append(_ text: borrowing RawSpan) {
        let size = text.byteCount
        reserve(size)
        unsafe text.withUnsafeBytes { source in
            if let base = source.baseAddress { unsafe (memory + count).copyMemory(from: base, byteCount: size) }
        }
        count += size
    }

    /// Adds a literal.
    package mutating func append(_ text: StaticString) {
        let size = text.utf8CodeUnitCount
        reserve(size)
        unsafe (memory + count).copyMemory(from: text.utf8Start, byteCount: size)
        count += size
    }

    /// Adds a string.
    package mutating func append(_ text: String) { unsafe append(text.utf8Span.span.bytes) }

    /// Puts a literal in between.
    package mutating func insert(_ text: StaticString, at index: Int) {
        precondition(index >= 0 && index <= count, "text is put into text, not behind it")
        let size = text.utf8CodeUnitCount
        reserve(size)
        unsafe (memory + index + size).copyMemory(from: memory + index, byteCount: count - index)
        unsafe (memory + index).copyMemory(from: text.utf8Start, byteCount: size)
        count += size
    }

    /// Adds another text.
    package mutating func append(contentsOf other: borrowing ByteText) { append(other.bytes) }

    /// Adds a piece of this text once more.
    mutating func append(copyOf range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "only what is there can be copied")
        reserve(range.count)
        unsafe (memory + count).copyMemory(from: memory + range.lowerBound, byteCount: range.count)
        count += range.count
    }

    /// Drops a piece from the middle; what follows moves up.
    mutating func remove(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "only what is there can be dropped")
        unsafe (memory + range.lowerBound).copyMemory(
            from: memory + range.upperBound, byteCount: count - range.upperBound)
        count -= range.count
    }

    /// A copy of the text.
    package borrowing func copy() -> [UInt8] {
        unsafe Array(UnsafeRawBufferPointer(start: memory, count: count))
    }

    /// Lets `body` write up to `limit` bytes in place; it returns how many it wrote, or how many it would need: then
    /// it is asked again.
    package mutating func write(upTo limit: Int, _ body: (UnsafeMutableRawPointer, Int) -> Int) {
        reserve(limit)
        var size = unsafe body(memory + count, capacity - count)
        while size > capacity - count {
            reserve(size)
            size = unsafe body(memory + count, capacity - count)
        }
        count += max(0, size)
    }
}

extension ByteText {
    /// Adds a number in decimal digits.
    package mutating func append(decimal number: Int) {
        if number < 0 { append(UInt8(ascii: "-")) }
        append(decimal: number.magnitude)
    }

    /// Adds a number in decimal digits.
    ///
    /// - Parameter width: zeros are put in front of a shorter one.
    package mutating func append(decimal number: some FixedWidthInteger & UnsignedInteger, width: Int = 1) {
        if number < 10, width == 1 { return append(UInt8(ascii: "0") + UInt8(number)) }
        var digits: InlineArray<20, UInt8> = InlineArray(repeating: UInt8(ascii: "0"))
        var start = 20
        var rest = UInt64(number)
        while rest > 0 {
            start -= 1
            digits[start] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        start = min(start, 20 - min(width, 20))
        unsafe append(digits.span.bytes.extracting(start..<20))
    }
}
