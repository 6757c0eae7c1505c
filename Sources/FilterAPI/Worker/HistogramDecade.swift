public import Synchronization

/// The buckets of one decade of a histogram.
///
/// Counts have 32 bits, for what memory many histograms take; what goes beyond is carried into a second block, once in four
/// billion values of the same size.
///
/// SAFETY: what it points at is one word, where the second block is, and ``HistogramScale/bucketCount`` halves of words
/// behind it, all of them initialised; freed by ``free()`` only.
@safe
@usableFromInline
struct HistogramDecade: BitwiseCopyable {
    private static var headSize: Int { MemoryLayout<UInt64>.size }
    private static var size: Int { headSize + HistogramScale.bucketCount * MemoryLayout<UInt32>.size }

    @usableFromInline let memory: UnsafeMutableRawPointer

    @inlinable
    init(_ memory: UnsafeMutableRawPointer) { unsafe self.memory = memory }

    /// One without values.
    static func allocate() -> HistogramDecade {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        return unsafe HistogramDecade(memory)
    }

    /// Bytes of a block.
    static var byteCount: Int { size }

    @inlinable
    func counts(_ bucket: Int) -> UnsafeMutablePointer<Atomic<UInt32>> {
        unsafe (memory + 8).assumingMemoryBound(to: Atomic<UInt32>.self) + bucket
    }

    private var carried: UnsafeMutablePointer<Atomic<UInt64>> {
        unsafe memory.assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// Where what goes beyond is; nil while nothing has.
    private var second: HistogramDecade? {
        let address = unsafe UInt(carried.pointee.load(ordering: .acquiring))
        guard let memory = unsafe UnsafeMutableRawPointer(bitPattern: address) else { return nil }
        return unsafe HistogramDecade(memory)
    }

    @inlinable
    func increment(_ bucket: Int) {
        let count = unsafe counts(bucket)
        let next = unsafe count.pointee.load(ordering: .relaxed) &+ 1
        unsafe count.pointee.store(next, ordering: .relaxed)
        if next == 0 { carry(bucket) }
    }

    @usableFromInline
    func carry(_ bucket: Int) {
        let block = second ?? HistogramDecade.allocate()
        unsafe carried.pointee.store(UInt64(UInt(bitPattern: block.memory)), ordering: .releasing)
        let count = unsafe block.counts(bucket)
        unsafe count.pointee.store(count.pointee.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    func value(_ bucket: Int) -> UInt64 {
        let low = unsafe UInt64(counts(bucket).pointee.load(ordering: .relaxed))
        guard let second else { return low }
        return unsafe low + UInt64(second.counts(bucket).pointee.load(ordering: .relaxed)) << 32
    }

    func reset() {
        for bucket in 0..<HistogramScale.bucketCount { unsafe counts(bucket).pointee.store(0, ordering: .relaxed) }
        second?.reset()
    }

    func free() {
        second?.free()
        unsafe memory.deallocate()
    }

    /// Sets a count, for the test of what happens at its end.
    func preset(_ bucket: Int, _ count: UInt32) { unsafe counts(bucket).pointee.store(count, ordering: .relaxed) }
}
