/// A slice of a worker's page: how bytes travel through a chain without being copied.
///
/// A chunk has one owner. To keep bytes, ``take()`` them out of the `inout` chunk that a filter was shown, and return
/// ``Step/taken``; to have them twice (a recorder for replay, a mirror), ``share()`` them, which counts and does not
/// copy. The bytes of a chunk never change after it was made. Chunks stay on their worker.
///
/// SAFETY: `start ..< start + count` lies in the payload of `page`, which this value holds one reference to, or in
/// static memory where `page` is nil.
@safe
public struct ByteChunk: ~Copyable {
    @usableFromInline var page: UnsafeMutablePointer<PageHeader>?
    @usableFromInline var start: UnsafeRawPointer
    @usableFromInline var length: Int
    /// The number of bytes.
    @inlinable public var count: Int { length }

    @inlinable
    package init(page: UnsafeMutablePointer<PageHeader>?, start: UnsafeRawPointer, count: Int) {
        unsafe self.page = page
        unsafe self.start = start
        self.length = count
    }

    /// A chunk without bytes.
    @inlinable
    public init() {
        unsafe self.init(page: nil, start: UnsafeRawPointer(bitPattern: 8).unsafelyUnwrapped, count: 0)
    }

    /// The bytes of a literal, which are not copied.
    @inlinable
    public init(_ text: StaticString) {
        unsafe self.init(page: nil, start: UnsafeRawPointer(text.utf8Start), count: text.utf8CodeUnitCount)
    }

    @inlinable
    deinit {
        if let page = unsafe page { unsafe PagePool.dropReference(page) }
    }

    /// Whether there are no bytes.
    @inlinable
    public var isEmpty: Bool { count == 0 }

    /// The bytes, for as long as the chunk is not changed.
    @inlinable
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            let span = unsafe RawSpan(_unsafeStart: start, byteCount: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The bytes as memory, for C interfaces; the pointer is good inside `body` only.
    @inlinable
    public borrowing func withUnsafeBytes<R, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        unsafe try body(UnsafeRawBufferPointer(start: start, count: count))
    }

    /// Moves the bytes out and leaves an empty chunk.
    @inlinable
    public mutating func take() -> ByteChunk {
        var taken = ByteChunk()
        swap(&taken, &self)
        return taken
    }

    /// A second chunk with the same bytes; the page is counted, not copied.
    @inlinable
    public borrowing func share() -> ByteChunk {
        if let page = unsafe page { unsafe page.pointee.references &+= 1 }
        return unsafe ByteChunk(page: page, start: start, count: count)
    }

    /// Drops bytes from the front.
    ///
    /// A chunk that has lost all of them gives its page back: one that waits for more bytes, for hours perhaps, must
    /// not keep it.
    ///
    /// - Parameter number: how many, at most ``count``.
    @inlinable
    public mutating func removeFirst(_ number: Int) {
        precondition(number >= 0 && number <= count, "more bytes dropped than the chunk has")
        if number == count {
            self = ByteChunk()
            return
        }
        unsafe start = start + number
        length &-= number
    }

    /// Moves the first bytes into a chunk of their own.
    ///
    /// - Parameter number: how many, at most ``count``.
    @inlinable
    public mutating func splitFirst(_ number: Int) -> ByteChunk {
        if number == count { return take() }
        precondition(number >= 0 && number < count, "more bytes split off than the chunk has")
        var first = share()
        first.length = number
        removeFirst(number)
        return first
    }

    /// A second chunk with some of the bytes.
    package borrowing func slice(_ offset: Int, _ count: Int) -> ByteChunk {
        precondition(offset >= 0 && count >= 0 && offset + count <= length, "bytes that the chunk does not have")
        var part = share()
        unsafe part.start = start + offset
        part.length = count
        return part
    }

    /// Lengthens the chunk over bytes that its maker has just written behind it.
    @inlinable
    package mutating func extend(by number: Int) { length &+= number }

    /// Whether the bytes are the last ones written to this page so far, so that more may follow in place.
    @inlinable
    package borrowing func ends(at end: UnsafeRawPointer, in other: UnsafeMutablePointer<PageHeader>) -> Bool {
        unsafe page == other && start + count == end
    }

    /// How much memory this chunk keeps from being reused, for accounting by what is held, not by what is seen.
    public var pinnedBytes: Int {
        guard let page = unsafe page else { return 0 }
        return unsafe Int(page.pointee.capacity) / Int(max(1, page.pointee.references))
    }
}
