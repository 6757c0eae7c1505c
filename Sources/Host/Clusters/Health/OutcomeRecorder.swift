internal import Synchronization

/// One worker's way to the record of an endpoint.
///
/// SAFETY: the pointers lead into the record's memory, which `record` keeps.
@safe
final class OutcomeRecorder {
    let record: EndpointRecord
    private let streaks: UnsafeMutablePointer<EndpointRecord.Streaks>
    private let tally: UnsafeMutablePointer<EndpointRecord.Tally>

    init(_ record: EndpointRecord, worker: Int) {
        self.record = record
        unsafe streaks = record.streaks
        unsafe tally = record.tally(of: worker)
    }

    /// Notes how a try ended. While all goes well nothing is written that another worker reads, but for its sums.
    @inline(__always)
    func note(_ outcome: Outcome) {
        guard outcome == .success else { return noteFailure(outcome) }
        unsafe Self.addOne(tally.pointee.successes)
        unsafe Self.clear(streaks.pointee.serverErrors)
        unsafe Self.clear(streaks.pointee.gatewayErrors)
        unsafe Self.clear(streaks.pointee.localFailures)
    }

    private func noteFailure(_ outcome: Outcome) {
        if outcome == .localFailure {
            unsafe Self.addOne(tally.pointee.localFailures)
        } else {
            unsafe Self.addOne(tally.pointee.serverErrors)
            // An answer, whatever it says, shows that the way is good.
            unsafe Self.clear(streaks.pointee.localFailures)
        }
        record.failed(outcome)
    }

    /// Only this worker writes it, so that a load and a store will do.
    @inline(__always)
    private static func addOne(_ number: borrowing Atomic<UInt64>) {
        number.store(number.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    @inline(__always)
    private static func clear(_ streak: borrowing Atomic<Int>) {
        if streak.load(ordering: .relaxed) != 0 { streak.store(0, ordering: .relaxed) }
    }
}
