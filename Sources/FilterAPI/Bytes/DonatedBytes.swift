/// Bytes that one thread has written, and that become a chunk of a worker without being copied.
///
/// SAFETY: the page belongs to this object until ``chunk(for:)`` hands it to a pool, on whose worker it is from then on;
/// whoever has the object last does one of the two, and no two threads have it at once.
@safe
package final class DonatedBytes: @unchecked Sendable {
    private var page: UnsafeMutablePointer<PageHeader>?
    package let count: Int

    /// A copy of some bytes; nil where they are more than two gigabytes.
    package init?(copying bytes: borrowing RawSpan) {
        count = bytes.byteCount
        guard let page = unsafe PagePool.makePage(capacity: max(1, bytes.byteCount)) else { return nil }
        unsafe self.page = page
        unsafe bytes.withUnsafeBytes { source in
            guard let base = source.baseAddress else { return }
            unsafe PagePool.payload(of: page).copyMemory(from: base, byteCount: source.count)
        }
    }

    deinit { if let page = unsafe page { unsafe UnsafeMutableRawPointer(page).deallocate() } }

    /// The bytes as a chunk of a worker; the second time there are none.
    package func chunk(for pool: PagePool) -> ByteChunk {
        guard let page = unsafe page else { return ByteChunk() }
        unsafe self.page = nil
        unsafe pool.adopt(page)
        return unsafe ByteChunk(page: page, start: UnsafeRawPointer(PagePool.payload(of: page)), count: count)
    }
}
