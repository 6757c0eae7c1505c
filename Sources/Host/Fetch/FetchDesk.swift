internal import Engine
internal import FilterAPI

/// One worker's requests of filters' own, and the stages that are to be called outside of any event.
///
/// Both begin at the end of a turn: no filter runs then, so that none is ever entered twice.
final class FetchDesk: EventSource {
    private unowned(unsafe) let worker: Worker
    /// No filters: what a filter asks for itself is not looked at by others.
    private lazy var chain = Chain(plan: ChainPlan(stages: []), filters: [], owner: "filters' own requests")
    private var running: [UInt64: Fetch] = [:]
    private var starting: [Fetch] = []
    private var nudges: [Nudge] = []
    private var spareNudges: [Nudge] = []
    private var serial: UInt64 = 0

    private struct Nudge {
        let stream: StreamHandle
        let stage: Int
    }

    init(worker: Worker) {
        unsafe self.worker = worker
        super.init()
    }

    /// How many are under way.
    var count: Int { running.count }

    func nextNumber() -> UInt64 {
        serial += 1
        return serial
    }

    /// Sends a request at the end of this turn.
    func start(_ fetch: Fetch) {
        running[fetch.number] = fetch
        starting.append(fetch)
        unsafe worker.loop.atTurnEnd(self)
    }

    /// Calls a stage's `wake` at the end of this turn, unless its stream has ended.
    func nudge(_ stream: StreamHandle, stage: Int) {
        nudges.append(Nudge(stream: stream, stage: stage))
        unsafe worker.loop.atTurnEnd(self)
    }

    func forget(_ fetch: Fetch) { running[fetch.number] = nil }

    override func turnEnded() {
        if !nudges.isEmpty {
            swap(&nudges, &spareNudges)
            for nudge in spareNudges { unsafe worker.streams.find(nudge.stream)?.wakeStage(nudge.stage) }
            spareNudges.removeAll(keepingCapacity: true)
        }
        guard !starting.isEmpty else { return }
        let fetches = starting
        starting.removeAll(keepingCapacity: true)
        for fetch in fetches { unsafe fetch.begin(worker, chain: chain) }
    }
}
