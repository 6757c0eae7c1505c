/// The head of a block of memory that chunks are slices of.
///
/// The payload follows the header in the same allocation. Counted without atomics: a page belongs to one worker.
@unsafe
@usableFromInline
package struct PageHeader {
    /// How many chunks (and readers that fill the page) hold it.
    @usableFromInline package var references: Int32
    /// Bytes of payload behind the header.
    @usableFromInline package var capacity: Int32
    /// Where the page returns to. Unretained: a pool lives as long as its worker, and no chunk outlives that.
    @usableFromInline package var pool: Unmanaged<PagePool>
    /// The next page in the pool's list of free ones.
    package var next: UnsafeMutablePointer<PageHeader>?
}

/// A worker's supply of memory for bodies and encoded heads.
///
/// Pages are kept for reuse up to a bound; what is above goes back to the system, so that a burst is not paid for
/// ever. Not thread-safe: one pool per worker.
///
/// SAFETY: every pointer in here comes from `allocate`, is reached through the header that the same allocation starts
/// with, and is freed or pooled only when its reference count falls to zero.
@safe
public final class PagePool {
    /// What a filter may add to a full page's bytes, and still find room in a page: the frames of TLS records.
    private static let slack = 512
    /// How much is read into an ordinary page.
    package static let pageRead = 16 * 1024
    /// How much is read into a page for bodies that come as fast as they can be read.
    package static let bulkRead = 64 * 1024
    /// Payload of an ordinary page. With its header it stays below glibc's threshold for separate mappings.
    package static let pageCapacity = pageRead + slack
    /// Payload of a page for bodies that come as fast as they can be read.
    package static let bulkCapacity = bulkRead + slack

    private static let headerSize = unsafe (MemoryLayout<PageHeader>.size + 15) & ~15

    private var free: UnsafeMutablePointer<PageHeader>? = nil
    private var freeCount = 0
    private let freeLimit: Int
    private var freeBulk: UnsafeMutablePointer<PageHeader>? = nil
    private var freeBulkCount = 0
    private static let freeBulkLimit = 16

    /// The page that small writes of all connections are packed into, and how much of it is used.
    @usableFromInline var tail: UnsafeMutablePointer<PageHeader>? = nil
    @usableFromInline var tailUsed = 0

    /// Pages in use now; a leak shows as a number that does not return to where it was.
    package private(set) var pagesInUse = 0

    /// - Parameter freeLimit: how many unused pages are kept for reuse.
    package init(freeLimit: Int = 256) { self.freeLimit = freeLimit }

    deinit {
        if let tail = unsafe tail { unsafe Self.dropReference(tail) }
        trim(to: 0)
    }

    /// Takes a page with one reference, held by the caller.
    package func acquire(capacity: Int = PagePool.pageCapacity) -> UnsafeMutablePointer<PageHeader> {
        pagesInUse += 1
        if capacity <= Self.pageCapacity, let page = unsafe free {
            unsafe free = page.pointee.next
            freeCount -= 1
            unsafe page.pointee.references = 1
            return unsafe page
        }
        if capacity == Self.bulkCapacity, let page = unsafe freeBulk {
            unsafe freeBulk = page.pointee.next
            freeBulkCount -= 1
            unsafe page.pointee.references = 1
            return unsafe page
        }
        let size = max(capacity, Self.pageCapacity)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: Self.headerSize + size, alignment: 16)
        let page = unsafe memory.bindMemory(to: PageHeader.self, capacity: 1)
        unsafe page.initialize(
            to: PageHeader(references: 1, capacity: Int32(size), pool: Unmanaged.passUnretained(self), next: nil))
        return unsafe page
    }

    /// Takes over memory that another thread has filled; see ``DonatedBytes``.
    func adopt(_ page: UnsafeMutablePointer<PageHeader>) {
        pagesInUse += 1
        unsafe page.pointee.pool = Unmanaged.passUnretained(self)
    }

    /// The memory of a page that belongs to no pool yet, with one reference.
    static func makePage(capacity: Int) -> UnsafeMutablePointer<PageHeader>? {
        guard let capacity32 = Int32(exactly: capacity) else { return nil }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: headerSize + capacity, alignment: 16)
        let page = unsafe memory.bindMemory(to: PageHeader.self, capacity: 1)
        // SAFETY: nobody looks at the pool before the page is adopted.
        unsafe page.initialize(
            to: PageHeader(references: 1, capacity: capacity32, pool: Unmanaged.fromOpaque(memory), next: nil))
        return unsafe page
    }

    /// The first byte behind the header.
    @usableFromInline
    package static func payload(of page: UnsafeMutablePointer<PageHeader>) -> UnsafeMutableRawPointer {
        unsafe UnsafeMutableRawPointer(page) + headerSize
    }

    /// Gives up one reference.
    @inlinable @inline(__always)
    package static func dropReference(_ page: UnsafeMutablePointer<PageHeader>) {
        unsafe page.pointee.references &-= 1
        if unsafe page.pointee.references == 0 {
            unsafe page.pointee.pool._withUnsafeGuaranteedRef { unsafe $0.recycle(page) }
        }
    }

    @usableFromInline
    func recycle(_ page: UnsafeMutablePointer<PageHeader>) {
        pagesInUse -= 1
        let capacity = unsafe Int(page.pointee.capacity)
        if capacity == Self.pageCapacity, freeCount < freeLimit {
            unsafe page.pointee.next = free
            unsafe free = page
            freeCount += 1
        } else if capacity == Self.bulkCapacity, freeBulkCount < Self.freeBulkLimit {
            unsafe page.pointee.next = freeBulk
            unsafe freeBulk = page
            freeBulkCount += 1
        } else {
            unsafe UnsafeMutableRawPointer(page).deallocate()
        }
    }

    /// Gives unused pages above `keep` back to the system; the host calls it when a worker is idle.
    package func trim(to keep: Int) {
        while freeCount > keep, let page = unsafe free {
            unsafe free = page.pointee.next
            freeCount -= 1
            unsafe UnsafeMutableRawPointer(page).deallocate()
        }
        while keep == 0, let page = unsafe freeBulk {
            unsafe freeBulk = page.pointee.next
            freeBulkCount -= 1
            unsafe UnsafeMutableRawPointer(page).deallocate()
        }
    }

    /// Makes room for `count` bytes in the shared tail page and returns where they go.
    ///
    /// The caller must fill what it then takes by ``ByteOutput``. More than a page gets a page of its own size.
    @usableFromInline
    func reserveTail(_ count: Int) -> UnsafeMutableRawPointer {
        if let tail = unsafe tail, unsafe tailUsed + count <= Int(tail.pointee.capacity) {
            return unsafe Self.payload(of: tail) + tailUsed
        }
        if let tail = unsafe tail { unsafe Self.dropReference(tail) }
        let page = unsafe acquire(capacity: max(count, Self.pageCapacity))
        unsafe tail = page
        tailUsed = 0
        return unsafe Self.payload(of: page)
    }

    /// Starts the tail page afresh where nobody else holds it: what was written has been sent.
    package func rewindTail() {
        if let tail = unsafe tail, unsafe tail.pointee.references == 1 { tailUsed = 0 }
    }
}
