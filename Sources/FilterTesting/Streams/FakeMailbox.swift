internal import FilterAPI
internal import Synchronization

/// What was done with tokens, from whatever thread, until the stream looks.
final class FakeMailbox: ResumptionTarget {
    private let outcomes = Mutex<[(ResumptionKey, ResumptionOutcome)]>([])
    private let jobs = PostedJobs()
    /// The test's thread is the worker's, whichever it is.
    let seat: WorkerSeat

    init() {
        let jobs = jobs
        seat = WorkerSeat(isCurrent: { true }, post: { jobs.add($0) })
    }

    func resume(_ key: ResumptionKey, _ outcome: ResumptionOutcome) {
        outcomes.withLock { $0.append((key, outcome)) }
    }

    /// Whether something has been posted.
    var hasPost: Bool { outcomes.withLock { !$0.isEmpty } || !jobs.isEmpty }

    /// Takes out what is to run on the worker's thread.
    func takeJobs() -> [@Sendable () -> Void] { jobs.take() }

    /// Takes out all that has been posted.
    func take() -> [(ResumptionKey, ResumptionOutcome)] {
        outcomes.withLock { posted in
            defer { posted = [] }
            return posted
        }
    }
}

/// What is to run on the worker's thread.
final class PostedJobs: Sendable {
    private let jobs = Mutex<[@Sendable () -> Void]>([])

    var isEmpty: Bool { jobs.withLock(\.isEmpty) }
    func add(_ job: @escaping @Sendable () -> Void) { jobs.withLock { $0.append(job) } }

    func take() -> [@Sendable () -> Void] {
        jobs.withLock { posted in
            defer { posted = [] }
            return posted
        }
    }
}
