internal import Engine
internal import FilterAPI

/// Where tokens of held streams come back to, from any thread.
@safe
final class Mailbox: ResumptionTarget {
    private let poster: LoopPoster
    /// Slots of byte pipes are told from those of streams by this bit.
    private static let pipeBit: UInt32 = 1 << 31
    // SAFETY: used on the worker's thread only; tokens go through the poster.
    private nonisolated(unsafe) var pipes: [UInt32: Unmanaged<BytePipe>]
    private nonisolated(unsafe) var nextPipe: UInt32 = 1

    init(poster: LoopPoster) {
        self.poster = poster
        unsafe pipes = [:]
    }

    /// Gives a pipe a slot; it says ``forget(_:)`` before it goes.
    func enroll(_ pipe: BytePipe) -> UInt32 {
        let slot = unsafe nextPipe | Self.pipeBit
        unsafe nextPipe = (nextPipe &+ 1) & ~Self.pipeBit
        unsafe pipes[slot] = Unmanaged.passUnretained(pipe)
        return slot
    }

    func forget(_ slot: UInt32) { unsafe pipes[slot] = nil }

    func resume(_ key: ResumptionKey, _ outcome: ResumptionOutcome) {
        poster.post(withLoop: { loop in
            guard let worker = loop.context as? Worker else { return }
            if key.slot & Self.pipeBit != 0 {
                if let pipe = unsafe self.pipes[key.slot] { unsafe pipe.takeUnretainedValue().resumed(key, outcome) }
                return
            }
            let handle = StreamHandle(slot: key.slot, generation: key.generation)
            worker.streams.find(handle)?.resumed(key, outcome)
        })
    }
}
