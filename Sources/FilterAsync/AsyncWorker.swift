internal import FilterAPI

/// What asynchronous filters of one worker share: its executor, and tasks that wait for work.
///
/// Starting a task costs several allocations, resuming one that waits costs none; so tasks are kept.
final class AsyncWorker {
    let executor: LoopExecutor
    private var idle: [Lane] = []
    private var idleExchanges: [Exchange] = []
    private var lastReport = Instant.none
    private static let mostIdle = 256

    private init(seat: WorkerSeat) { executor = LoopExecutor(seat: seat) }

    /// The one of a worker.
    static func of(_ seat: WorkerSeat) -> AsyncWorker {
        if let guest = unsafe seat.guest {
            // SAFETY: only this function puts something there; there is one copy of this module in a process.
            return unsafe unsafeDowncast(guest, to: AsyncWorker.self)
        }
        let fresh = AsyncWorker(seat: seat)
        unsafe seat.guest = fresh
        return fresh
    }

    /// A task to give work to.
    func take() -> Lane { idle.popLast() ?? Lane(worker: self) }

    /// The task waits for work again.
    func put(_ lane: Lane) { if idle.count < Self.mostIdle { idle.append(lane) } else { lane.stop() } }

    /// An exchange for a stream, with a task.
    func takeExchange() -> Exchange { idleExchanges.popLast() ?? Exchange(self) }

    /// The exchange has no stream, and its task no work.
    func put(_ exchange: Exchange) {
        if idleExchanges.count < Self.mostIdle { idleExchanges.append(exchange) } else { exchange.lane.stop() }
    }

    /// Tells the operator what a filter has thrown, once a second at most: peers may bring it about as often as they like.
    func report(_ error: any Error, of filter: String, at now: Instant) {
        guard lastReport == .none || now.since(lastReport) >= .seconds(1) else { return }
        lastReport = now
        executor.seat.report(filter, "\(error)")
    }
}
