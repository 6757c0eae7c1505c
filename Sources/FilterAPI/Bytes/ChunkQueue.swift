/// Chunks in order, with their total size.
///
/// A ring that keeps its storage when it empties; none is allocated before the first chunk arrives.
///
/// SAFETY: the `used` slots from `head` on, modulo the power of two `capacity`, are initialised; all others are not.
@safe
public struct ChunkQueue: ~Copyable {
    private var slots: UnsafeMutablePointer<ByteChunk>?
    private var capacity = 0
    private var head = 0
    /// The number of chunks.
    public private(set) var count = 0
    /// The number of bytes in all chunks together.
    public private(set) var byteCount = 0

    /// The number of bytes with what the queue itself needs for each chunk, so that many small ones count for what
    /// they cost.
    package var weight: Int { byteCount &+ count &* 32 }

    /// A queue without chunks.
    public init() { unsafe slots = nil }

    deinit {
        guard let slots = unsafe slots else { return }
        for offset in 0..<count { unsafe (slots + ((head + offset) & (capacity - 1))).deinitialize(count: 1) }
        unsafe slots.deallocate()
    }

    /// Whether there are no chunks.
    public var isEmpty: Bool { count == 0 }

    /// Puts a chunk last. An empty chunk is dropped.
    public mutating func append(_ chunk: consuming ByteChunk) {
        if chunk.isEmpty { return }
        if count == capacity { grow() }
        guard let slots = unsafe slots else { return }
        byteCount += chunk.count
        unsafe (slots + ((head + count) & (capacity - 1))).initialize(to: chunk)
        count += 1
    }

    /// Takes the first chunk out.
    public mutating func popFirst() -> ByteChunk? {
        guard count > 0, let slots = unsafe slots else { return nil }
        let chunk = unsafe (slots + head).move()
        head = (head + 1) & (capacity - 1)
        count -= 1
        byteCount -= chunk.count
        return chunk
    }

    /// Takes the first bytes out, at most so many, and none that lie in the second chunk.
    package mutating func popFirst(upTo limit: Int) -> ByteChunk? {
        guard count > 0, let slots = unsafe slots else { return nil }
        if unsafe slots[head].count <= limit { return popFirst() }
        byteCount -= limit
        return unsafe slots[head].splitFirst(limit)
    }

    /// Drops bytes from the front, and chunks that have none left.
    public mutating func removeFirst(_ number: Int) {
        var left = number
        while left > 0, count > 0, let slots = unsafe slots {
            let size = unsafe slots[head].count
            if size > left {
                unsafe slots[head].removeFirst(left)
                byteCount -= left
                return
            }
            left -= size
            _ = popFirst()
        }
    }

    /// Drops all chunks.
    public mutating func removeAll() {
        while popFirst() != nil {}
    }

    /// Gives the storage back where nothing is queued; for connections that go idle.
    package mutating func releaseStorage() {
        guard count == 0, let old = unsafe slots else { return }
        unsafe old.deallocate()
        unsafe slots = nil
        capacity = 0
        head = 0
    }

    /// Shows the memory of up to `limit` chunks from the front.
    package borrowing func forEachMemory(limit: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
        guard let slots = unsafe slots else { return }
        for offset in 0..<min(limit, count) {
            unsafe slots[(head + offset) & (capacity - 1)].withUnsafeBytes { unsafe body($0) }
        }
    }

    /// Lets the last chunk grow in place over `number` bytes at `end` of `page`, where it ends just there.
    @usableFromInline
    mutating func extendLast(by number: Int, at end: UnsafeRawPointer, in page: UnsafeMutablePointer<PageHeader>)
        -> Bool
    {
        guard count > 0, let slots = unsafe slots else { return false }
        let last = (head + count - 1) & (capacity - 1)
        guard unsafe slots[last].ends(at: end, in: page) else { return false }
        unsafe slots[last].extend(by: number)
        byteCount += number
        return true
    }

    private mutating func grow() {
        let larger = max(4, capacity * 2)
        let fresh = UnsafeMutablePointer<ByteChunk>.allocate(capacity: larger)
        if let slots = unsafe slots {
            for offset in 0..<count {
                let source = unsafe slots + ((head + offset) & (capacity - 1))
                unsafe (fresh + offset).moveInitialize(from: source, count: 1)
            }
            unsafe slots.deallocate()
        }
        unsafe slots = fresh
        capacity = larger
        head = 0
    }
}
