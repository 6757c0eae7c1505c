public import Synchronization

/// How often values of which size have come up, kept per worker and merged when it is read.
///
/// Values are sorted into buckets that are at most a tenth of their value wide: see ``HistogramScale``. Memory is taken
/// for those decades in which a value has come up; recording is two loads and two stores, without a locked instruction.
///
/// SAFETY: what it points at has ``wordCount`` words, and is not freed as long as somebody may record.
@safe
public struct Histogram: Sendable, BitwiseCopyable {
    /// The sum of all values, then where the buckets of each decade are; 0 where no value has come up in it.
    @usableFromInline nonisolated(unsafe) let words: UnsafeMutablePointer<Atomic<UInt64>>

    /// How many words a histogram has before any value has come up.
    package static var wordCount: Int { 1 + HistogramScale.decadeCount }

    package init(words: UnsafeMutablePointer<Atomic<UInt64>>) { unsafe self.words = words }

    /// A histogram that nobody shows.
    package static func detached() -> Histogram { unsafe Histogram(words: StatWords.allocate(wordCount)) }

    /// Notes a value: bytes, or nanoseconds; on the worker that asked for the histogram only.
    @inlinable
    public func record(_ value: UInt64) {
        let place = HistogramScale.place(of: value)
        unsafe words.pointee.store(words.pointee.load(ordering: .relaxed) &+ value, ordering: .relaxed)
        let address = unsafe UInt(words[1 + place.decade].load(ordering: .relaxed))
        let known = unsafe UnsafeMutablePointer<Atomic<UInt64>>(bitPattern: address)
        let bucket = unsafe (known ?? grow(place.decade)) + place.bucket
        unsafe bucket.pointee.store(bucket.pointee.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    /// Notes a time.
    public func record(_ time: Duration) { record(time.wholeNanoseconds) }

    @usableFromInline
    func grow(_ decade: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        let buckets = unsafe StatWords.allocate(HistogramScale.bucketCount)
        // Whoever reads the place sees the zeros.
        unsafe words[1 + decade].store(UInt64(UInt(bitPattern: buckets)), ordering: .releasing)
        return unsafe buckets
    }

    /// Adds all that has come up to a sum; any thread.
    package func add(to totals: inout HistogramTotals) {
        totals.sum &+= unsafe words.pointee.load(ordering: .relaxed)
        for decade in 0..<HistogramScale.decadeCount {
            let address = unsafe UInt(words[1 + decade].load(ordering: .acquiring))
            guard let buckets = unsafe UnsafeMutablePointer<Atomic<UInt64>>(bitPattern: address) else { continue }
            for bucket in 0..<HistogramScale.bucketCount {
                totals.add(unsafe buckets[bucket].load(ordering: .relaxed), decade: decade, bucket: bucket)
            }
        }
    }

    /// How many decades have memory.
    package var decadesInUse: Int {
        (0..<HistogramScale.decadeCount).count { unsafe words[1 + $0].load(ordering: .relaxed) != 0 }
    }

    /// Makes it empty; on the worker that records, or where nobody does.
    package func reset() {
        unsafe words.pointee.store(0, ordering: .relaxed)
        for decade in 0..<HistogramScale.decadeCount {
            let address = unsafe UInt(words[1 + decade].load(ordering: .relaxed))
            guard let buckets = unsafe UnsafeMutablePointer<Atomic<UInt64>>(bitPattern: address) else { continue }
            for bucket in 0..<HistogramScale.bucketCount { unsafe buckets[bucket].store(0, ordering: .relaxed) }
        }
    }

    /// Gives back what values have taken; nobody may record any more, or read.
    package func free() {
        for decade in 0..<HistogramScale.decadeCount {
            let address = unsafe UInt(words[1 + decade].load(ordering: .relaxed))
            unsafe UnsafeMutablePointer<Atomic<UInt64>>(bitPattern: address)?.deallocate()
        }
    }
}
