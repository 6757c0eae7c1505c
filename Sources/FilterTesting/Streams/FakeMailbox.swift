internal import FilterAPI
internal import Synchronization

/// What was done with tokens, from whatever thread, until the stream looks.
final class FakeMailbox: ResumptionTarget {
    private let outcomes = Mutex<[(ResumptionKey, ResumptionOutcome)]>([])

    func resume(_ key: ResumptionKey, _ outcome: ResumptionOutcome) {
        outcomes.withLock { $0.append((key, outcome)) }
    }

    /// Takes out all that has been posted.
    func take() -> [(ResumptionKey, ResumptionOutcome)] {
        outcomes.withLock { posted in
            defer { posted = [] }
            return posted
        }
    }
}
