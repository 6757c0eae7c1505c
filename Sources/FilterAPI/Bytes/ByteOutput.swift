/// Where codecs and byte filters write: small pieces are packed into shared pages, chunks are queued as they are.
///
/// SAFETY: memory handed out by the pool's tail is inside the tail page, and is taken by a chunk before anyone else
/// can reserve it, since a worker runs one thing at a time.
@safe
public struct ByteOutput: ~Copyable {
    /// Not counted: each piece that is written would count twice. A pool outlives what its worker writes with it.
    @usableFromInline let pool: Unmanaged<PagePool>
    /// What was written and not yet sent.
    public var queue: ChunkQueue

    package init(pool: PagePool) {
        unsafe self.pool = Unmanaged.passUnretained(pool)
        self.queue = ChunkQueue()
    }

    /// The number of bytes that wait.
    public var byteCount: Int { queue.byteCount }

    /// Queues a chunk; its bytes are not copied.
    public mutating func append(_ chunk: consuming ByteChunk) { queue.append(chunk) }

    /// Copies bytes in.
    public mutating func append(_ bytes: borrowing RawSpan) {
        unsafe bytes.withUnsafeBytes { source in
            var done = 0
            while done < source.count {
                let part = min(PagePool.pageRead, source.count - done)
                unsafe write(upTo: part) { memory in
                    unsafe memory.copyMemory(from: source.baseAddress.unsafelyUnwrapped + done, byteCount: part)
                    return part
                }
                done += part
            }
        }
    }

    /// Copies a literal in.
    public mutating func append(_ text: StaticString) {
        let count = text.utf8CodeUnitCount
        unsafe write(upTo: count) { memory in
            unsafe memory.copyMemory(from: text.utf8Start, byteCount: count)
            return count
        }
    }

    /// Copies a string in.
    public mutating func append(_ text: String) { unsafe append(text.utf8Span.span.bytes) }

    /// Lets `body` write up to `limit` bytes in place.
    ///
    /// - Parameters:
    ///   - limit: the room that `body` needs, at most 16 KiB.
    ///   - body: fills memory from its start, and returns how many bytes it wrote.
    @inlinable
    public mutating func write(upTo limit: Int, _ body: (UnsafeMutableRawPointer) -> Int) {
        precondition(limit <= 16 * 1024, "one write is at most a page")
        let memory = unsafe pool._withUnsafeGuaranteedRef { unsafe $0.reserveTail(limit) }
        let written = unsafe body(memory)
        if written > 0 { unsafe commit(written, at: memory) }
    }

    /// Room for `count` bytes in place; what is filled is queued by ``commit(_:at:)`` before anything else is written.
    @inline(__always)
    package mutating func reserve(_ count: Int) -> UnsafeMutableRawPointer {
        unsafe pool._withUnsafeGuaranteedRef { unsafe $0.reserveTail(count) }
    }

    @usableFromInline
    package mutating func commit(_ written: Int, at memory: UnsafeMutableRawPointer) {
        let tail = unsafe pool._withUnsafeGuaranteedRef { pool in
            pool.tailUsed += written
            return unsafe pool.tail
        }
        guard let page = unsafe tail else { return }
        if unsafe queue.extendLast(by: written, at: memory, in: page) { return }
        unsafe page.pointee.references += 1
        unsafe queue.append(ByteChunk(page: page, start: memory, count: written))
    }
}

extension PagePool {
    /// A chunk of its own with a copy of `bytes`.
    package func chunk(copying bytes: borrowing RawSpan) -> ByteChunk {
        let count = bytes.byteCount
        return unsafe chunk(capacity: count) { memory in
            unsafe bytes.withUnsafeBytes { source in
                if let base = source.baseAddress { unsafe memory.copyMemory(from: base, byteCount: source.count) }
            }
            return count
        }
    }

    /// A chunk of its own that `body` fills: it returns how many bytes it wrote.
    package func chunk(capacity: Int, _ body: (UnsafeMutableRawPointer) -> Int) -> ByteChunk {
        if capacity <= Self.pageCapacity / 4 {
            let memory = unsafe reserveTail(capacity)
            let written = unsafe body(memory)
            guard written > 0, let page = unsafe tail else { return ByteChunk() }
            tailUsed += written
            unsafe page.pointee.references += 1
            return unsafe ByteChunk(page: page, start: memory, count: written)
        }
        let page = unsafe acquire(capacity: capacity)
        let memory = unsafe Self.payload(of: page)
        let written = unsafe body(memory)
        return unsafe ByteChunk(page: page, start: memory, count: written)
    }
}
