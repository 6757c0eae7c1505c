internal import FilterAPI

/// Runs tasks on one worker's own thread, between the events that its loop serves.
///
/// A task that is resumed there runs at once, inside the event that resumed it: an answer that is at hand costs no turn of
/// the loop. What other threads resume is posted.
///
/// SAFETY: everything but `seat` is used on the worker's thread only.
@safe
final class LoopExecutor: TaskExecutor {
    let seat: WorkerSeat
    private nonisolated(unsafe) var ready: [UnownedJob] = []
    /// Whether somebody will look at `ready` before the event is over.
    private nonisolated(unsafe) var isAttended = false

    init(seat: WorkerSeat) { self.seat = seat }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        guard seat.isCurrent else {
            return seat.post { self.attend { unsafe self.ready.append(job) } }
        }
        unsafe ready.append(job)
        guard unsafe !isAttended else { return }
        unsafe isAttended = true
        seat.post {
            unsafe self.isAttended = false
            self.attend {}
        }
    }

    /// Runs tasks that `body` makes ready, and those that these make ready, until all of them wait.
    func attend(_ body: () -> Void) {
        // A task that is running now makes others ready: it is attended to already.
        if unsafe isAttended { return body() }
        unsafe isAttended = true
        body()
        var next = 0
        while unsafe next < ready.count {
            let job = unsafe ready[next]
            next += 1
            unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        }
        unsafe ready.removeAll(keepingCapacity: true)
        unsafe isAttended = false
    }
}
