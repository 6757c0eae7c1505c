internal import FilterAPI

/// What a lane can be given to do, again and again, without a closure for each time.
protocol LaneWork: AnyObject {
    nonisolated(nonsending) func work() async
}

/// A task that does one piece of work after the other, and waits in between.
///
/// Used on its worker's thread only.
///
/// SAFETY: the task is the only one that waits on `parked`, and it is resumed once each time.
@safe
final class Lane {
    private unowned let worker: AsyncWorker
    private var task: Task<Void, Never>?
    private var parked: UnsafeContinuation<Void, Never>?
    private var work: (any LaneWork)?
    /// Whether it has something to do.
    var isBusy: Bool { work != nil }
    private var isStopped = false

    init(worker: AsyncWorker) {
        self.worker = worker
        unsafe parked = nil
    }

    /// Begins to work, here and now, and comes back when the work waits for something or is done.
    func begin(_ work: any LaneWork) {
        self.work = work
        worker.executor.attend {
            if let parked = unsafe parked {
                unsafe self.parked = nil
                unsafe parked.resume()
            } else {
                start()
            }
        }
    }

    private func start() {
        // SAFETY: the task runs on the worker's thread, by its executor.
        nonisolated(unsafe) let lane = self
        task = Task(executorPreference: worker.executor) { unsafe await lane.run() }
    }

    private nonisolated(nonsending) func run() async {
        while !isStopped {
            if let work {
                await work.work()
                self.work = nil
                if Task.isCancelled { break }
            }
            unsafe await withUnsafeContinuation { unsafe parked = $0 }
        }
        work = nil
    }

    /// Tells what it does that nobody wants it any more. A task that was cancelled once is of no use again.
    func cancel() {
        isStopped = true
        task?.cancel()
    }

    /// Lets a task go that waits for work.
    func stop() {
        isStopped = true
        guard let parked = unsafe parked else { return }
        unsafe self.parked = nil
        worker.executor.attend { unsafe parked.resume() }
    }
}
