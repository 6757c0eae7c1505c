internal import Synchronization

/// One worker's way to the record of an endpoint. Trivial, so that no reference is counted on the way.
///
/// SAFETY: whoever has a recorder keeps its record: see ``Endpoint/note(in:worker:)``.
@safe
struct OutcomeRecorder {
    private let streaks: UnsafeMutablePointer<EndpointRecord.Streaks>
    private let tally: UnsafeMutablePointer<EndpointRecord.Tally>
    private let record: Unmanaged<EndpointRecord>

    init(_ record: EndpointRecord, worker: Int) {
        unsafe streaks = record.streaks
        unsafe tally = record.tally(of: worker)
        unsafe self.record = .passUnretained(record)
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
        unsafe record._withUnsafeGuaranteedRef { $0.failed(outcome) }
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
