internal import Engine
internal import FilterAPI

/// How long each filter takes, where the listener measures it.
extension HTTPStream {
    func beginTimes(_ times: ChainTimes) {
        let own = spareTimes ?? FilterTimes()
        spareTimes = nil
        own.names = times.names
        unsafe factsMemory.pointee.filterTimes = own
    }

    func forget(_ times: FilterTimes) {
        times.reset()
        spareTimes = times
    }

    /// A filter is about to be called.
    @inline(__always)
    func beginCall(_ entry: Chain.HTTPStage, _ phase: FilterPhase) -> UInt64 {
        unsafe calls.begin(entry.label, phase)
        return beginTime()
    }

    /// It has returned.
    @inline(__always)
    func endCall(_ began: UInt64, _ stage: Int, _ direction: FilterTimes.Direction) {
        calls.end()
        endTime(began, stage, direction)
    }

    /// A call of a filter begins. Where nothing is measured this is one test of one byte.
    @inline(__always)
    func beginTime() -> UInt64 { table.isTimed ? TickClock.ticks : 0 }

    /// The call has returned, or what the filter held goes on.
    @inline(__always)
    func endTime(_ began: UInt64, _ stage: Int, _ direction: FilterTimes.Direction) {
        guard table.isTimed else { return }
        addTime(TickClock.since(began), stage, direction)
    }

    private func addTime(_ ticks: UInt64, _ stage: Int, _ direction: FilterTimes.Direction) {
        unsafe factsMemory.pointee.filterTimes?.add(ticks, stage: stage, direction)
    }

    /// The stream is over, and nothing is added any more.
    func recordTimes() {
        guard table.isTimed, let times = unsafe factsMemory.pointee.filterTimes else { return }
        chain.times?.record(times)
    }
}
