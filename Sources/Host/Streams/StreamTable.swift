internal import FilterAPI

/// A worker's streams: those that run, by slot and generation, and those that wait for reuse.
///
/// SAFETY: `all` keeps every stream alive for the life of the worker, so that an index is always good and nothing needs
/// to be counted; the generation tells whether it is still the same stream.
@safe
final class StreamTable {
    private var all: [Unmanaged<HTTPStream>] = unsafe []
    private var free: [UInt32] = []
    private(set) var activeCount = 0

    deinit { unsafe all.forEach { unsafe $0.release() } }

    /// A stream to use; reused where there is one.
    func take(worker: Worker) -> Unmanaged<HTTPStream> {
        activeCount += 1
        if let slot = free.popLast() { return unsafe all[Int(slot)] }
        let stream = unsafe Unmanaged.passRetained(HTTPStream(worker: worker, slot: UInt32(all.count)))
        unsafe all.append(stream)
        unsafe free.reserveCapacity(all.count)
        return unsafe stream
    }

    func put(_ stream: HTTPStream) {
        activeCount -= 1
        free.append(stream.slot)
    }

    /// The stream of a handle, nil where it has ended.
    func find(_ handle: StreamHandle) -> HTTPStream? {
        guard unsafe Int(handle.slot) < all.count else { return nil }
        let stream = unsafe all[Int(handle.slot)].takeUnretainedValue()
        return stream.generation == handle.generation && stream.flags.contains(.active) ? stream : nil
    }

    /// Looks into the stream in a slot, whoever it is; for codecs, which only name streams that they have opened.
    @inline(__always)
    func at<R>(_ slot: UInt32, _ body: (HTTPStream) -> R) -> R {
        unsafe all[Int(slot)]._withUnsafeGuaranteedRef { body($0) }
    }
}
