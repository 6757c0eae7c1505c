internal import FilterAPI

/// A worker's streams: those that run, by slot and generation, and those that wait for reuse.
///
/// SAFETY: `all` keeps every stream alive for the life of the worker, so that an index is always good; the generation
/// tells whether it is still the same stream.
final class StreamTable {
    private var all: [HTTPStream] = []
    private var free: [Int] = []
    private(set) var activeCount = 0

    /// A stream to use; reused where there is one.
    func take(worker: Worker) -> HTTPStream {
        activeCount += 1
        if let index = free.popLast() { return all[index] }
        let stream = HTTPStream(worker: worker, slot: UInt32(all.count))
        all.append(stream)
        free.reserveCapacity(all.count)
        return stream
    }

    func put(_ stream: HTTPStream) {
        activeCount -= 1
        free.append(Int(stream.slot))
    }

    /// The stream of a handle, nil where it has ended.
    func find(_ handle: StreamHandle) -> HTTPStream? {
        guard handle.slot < all.count else { return nil }
        let stream = all[Int(handle.slot)]
        return stream.generation == handle.generation && stream.flags.contains(.active) ? stream : nil
    }

    /// The stream in a slot, whoever it is; for codecs, which only name streams that they have opened.
    @inline(__always)
    func at(_ slot: UInt32) -> HTTPStream { all[Int(slot)] }
}
