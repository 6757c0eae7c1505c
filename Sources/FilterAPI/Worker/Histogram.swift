public import Synchronization

/// How often values of which size have come up, kept per worker and merged when it is read.
///
/// Values are sorted into buckets that are at most a tenth of their value wide: see ``HistogramScale``. Memory is taken
/// with the first value, and for each decade in which one has come up; recording is a few loads and two stores, without
/// a locked instruction.
///
/// SAFETY: the word that it points at is not freed as long as somebody may record or read. It holds 0, or where the block
/// of the values is, which has `blockWords` words and is freed by `free` only.
@safe
public struct Histogram: Sendable, BitwiseCopyable {
    @usableFromInline nonisolated(unsafe) let place: UnsafeMutablePointer<Atomic<UInt64>>

    /// The sum of all values, then where the buckets of each decade are; 0 where no value has come up in it.
    private static var blockWords: Int { 1 + HistogramScale.decadeCount }

    package init(at place: UnsafeMutablePointer<Atomic<UInt64>>) { unsafe self.place = place }

    /// A histogram that nobody shows.
    package static func detached() -> Histogram { unsafe Histogram(at: StatWords.allocate(1)) }

    /// Notes a value: bytes, or nanoseconds; on the worker that asked for the histogram only.
    @inlinable
    public func record(_ value: UInt64) {
        let bucket = HistogramScale.place(of: value)
        let block = unsafe block ?? begin()
        unsafe block.pointee.store(block.pointee.load(ordering: .relaxed) &+ value, ordering: .relaxed)
        let decade = unsafe Self.decade(bucket.decade, of: block) ?? Self.grow(bucket.decade, of: block)
        decade.increment(bucket.bucket)
    }

    /// Notes a time.
    public func record(_ time: Duration) { record(time.wholeNanoseconds) }

    /// Where the values are; nil before the first one.
    @inlinable var block: UnsafeMutablePointer<Atomic<UInt64>>? {
        unsafe UnsafeMutablePointer(bitPattern: UInt(place.pointee.load(ordering: .acquiring)))
    }

    /// The buckets of a decade; nil where no value has come up in it.
    @inlinable
    static func decade(_ index: Int, of block: UnsafeMutablePointer<Atomic<UInt64>>) -> HistogramDecade? {
        let address = unsafe UInt(block[1 + index].load(ordering: .acquiring))
        guard let memory = unsafe UnsafeMutableRawPointer(bitPattern: address) else { return nil }
        return unsafe HistogramDecade(memory)
    }

    @usableFromInline
    func begin() -> UnsafeMutablePointer<Atomic<UInt64>> {
        let block = unsafe StatWords.allocate(Self.blockWords)
        // Whoever reads the place sees the zeros.
        unsafe place.pointee.store(UInt64(UInt(bitPattern: block)), ordering: .releasing)
        return unsafe block
    }

    @usableFromInline
    static func grow(_ index: Int, of block: UnsafeMutablePointer<Atomic<UInt64>>) -> HistogramDecade {
        let made = HistogramDecade.allocate()
        unsafe block[1 + index].store(UInt64(UInt(bitPattern: made.memory)), ordering: .releasing)
        return made
    }

    /// Adds all that has come up to a sum; any thread.
    package func add(to totals: inout HistogramTotals) {
        guard let block = unsafe block else { return }
        totals.sum &+= unsafe block.pointee.load(ordering: .relaxed)
        forEachDecade { index, decade in
            for bucket in 0..<HistogramScale.bucketCount {
                totals.add(decade.value(bucket), decade: index, bucket: bucket)
            }
        }
    }

    /// Bytes that values have taken.
    package var valueBytes: Int {
        var bytes = unsafe block == nil ? 0 : Self.blockWords * MemoryLayout<UInt64>.size
        forEachDecade { _, _ in bytes += HistogramDecade.byteCount }
        return bytes
    }

    /// Makes it empty; on the worker that records, or where nobody does.
    package func reset() {
        unsafe block?.pointee.store(0, ordering: .relaxed)
        forEachDecade { _, decade in decade.reset() }
    }

    /// Gives back what values have taken; nobody may record any more, or read.
    package func free() {
        forEachDecade { _, decade in decade.free() }
        unsafe block?.deallocate()
    }

    private func forEachDecade(_ body: (Int, HistogramDecade) -> Void) {
        guard let block = unsafe block else { return }
        for index in 0..<HistogramScale.decadeCount {
            if let decade = unsafe Self.decade(index, of: block) { body(index, decade) }
        }
    }
}
