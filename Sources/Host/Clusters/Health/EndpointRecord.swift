internal import Engine
internal import Synchronization

/// What all workers have seen of one endpoint, while its cluster looks for outliers.
///
/// Made on the control thread, used from every worker, kept over reloads. In one piece of memory, a cache line each: the
/// counts of failures in a row, which workers share and hardly ever write while all goes well, and for every worker a
/// tally that only it writes.
///
/// SAFETY: the memory is allocated and initialized with the object, freed with it, and holds atomics only. Whoever has
/// a pointer into it has the record too: see ``OutcomeRecorder``.
@safe
final class EndpointRecord: @unchecked Sendable {
    /// The counts of failures in a row.
    struct Streaks: ~Copyable {
        let serverErrors = Atomic<Int>(0)
        let gatewayErrors = Atomic<Int>(0)
        let localFailures = Atomic<Int>(0)
    }

    /// What one worker has seen.
    struct Tally: ~Copyable {
        let successes = Atomic<UInt64>(0)
        let serverErrors = Atomic<UInt64>(0)
        let localFailures = Atomic<UInt64>(0)
    }

    /// Failures in a row of which the control thread is told; 0 for never.
    private struct Thresholds: ~Copyable {
        let serverErrors = Atomic<Int>(0)
        let gatewayErrors = Atomic<Int>(0)
        let localFailures = Atomic<Int>(0)
        let areSplit = Atomic<Bool>(false)
    }

    private static let line = 64

    let address: SocketAddress
    let streaks: UnsafeMutablePointer<Streaks>
    private let thresholds = Thresholds()
    private let memory: UnsafeMutableRawPointer
    private let workerCount: Int
    private let inbox: OutlierInbox

    /// - Parameter workers: how many will use it.
    init(_ address: SocketAddress, workers: Int, inbox: OutlierInbox) {
        self.address = address
        self.inbox = inbox
        workerCount = workers
        unsafe memory = .allocate(byteCount: (1 + workers) * Self.line, alignment: Self.line)
        unsafe streaks = memory.bindMemory(to: Streaks.self, capacity: 1)
        unsafe streaks.initialize(to: Streaks())
        for worker in 0..<workers { unsafe tally(of: worker).initialize(to: Tally()) }
    }

    deinit { unsafe memory.deallocate() }

    /// The tally that one worker writes.
    func tally(of worker: Int) -> UnsafeMutablePointer<Tally> {
        precondition(worker >= 0 && worker < workerCount, "there is no such worker")
        return unsafe (memory + (1 + worker) * Self.line).bindMemory(to: Tally.self, capacity: 1)
    }

    // MARK: On the control thread

    /// Takes new thresholds, and begins to count anew.
    func change(_ settings: OutlierSettings) {
        let isSplit = settings.splitExternalLocalOriginErrors
        thresholds.serverErrors.store(settings.consecutive5xx, ordering: .relaxed)
        thresholds.gatewayErrors.store(settings.consecutiveGatewayFailure, ordering: .relaxed)
        thresholds.localFailures.store(isSplit ? settings.consecutiveLocalOriginFailure : 0, ordering: .relaxed)
        thresholds.areSplit.store(isSplit, ordering: .relaxed)
        forgetStreaks()
    }

    /// Counts failures in a row from 0.
    func forgetStreaks() {
        unsafe streaks.pointee.serverErrors.store(0, ordering: .relaxed)
        unsafe streaks.pointee.gatewayErrors.store(0, ordering: .relaxed)
        unsafe streaks.pointee.localFailures.store(0, ordering: .relaxed)
    }

    /// Counts one kind of failures in a row from 0.
    func forgetStreak(of kind: OutlierKind) {
        switch kind {
        case .consecutive5xx: unsafe streaks.pointee.serverErrors.store(0, ordering: .relaxed)
        case .consecutiveGatewayFailure: unsafe streaks.pointee.gatewayErrors.store(0, ordering: .relaxed)
        case .consecutiveLocalOriginFailure: unsafe streaks.pointee.localFailures.store(0, ordering: .relaxed)
        default: break
        }
    }

    /// All that the workers have counted so far.
    var counts: OutcomeCounts {
        var sum = OutcomeCounts()
        for worker in 0..<workerCount {
            let tally = unsafe tally(of: worker)
            unsafe sum.successes &+= tally.pointee.successes.load(ordering: .relaxed)
            unsafe sum.serverErrors &+= tally.pointee.serverErrors.load(ordering: .relaxed)
            unsafe sum.localFailures &+= tally.pointee.localFailures.load(ordering: .relaxed)
        }
        return sum
    }

    // MARK: On a worker

    /// One more failure; tells the control thread where that makes as many in a row as are too many.
    func failed(_ outcome: Outcome) {
        if outcome == .localFailure, thresholds.areSplit.load(ordering: .relaxed) {
            return count(
                unsafe streaks.pointee.localFailures.add(1, ordering: .relaxed).newValue,
                thresholds.localFailures.load(ordering: .relaxed), .consecutiveLocalOriginFailure)
        }
        if outcome == .serverError {
            unsafe streaks.pointee.gatewayErrors.store(0, ordering: .relaxed)
        } else {
            count(
                unsafe streaks.pointee.gatewayErrors.add(1, ordering: .relaxed).newValue,
                thresholds.gatewayErrors.load(ordering: .relaxed), .consecutiveGatewayFailure)
        }
        count(
            unsafe streaks.pointee.serverErrors.add(1, ordering: .relaxed).newValue,
            thresholds.serverErrors.load(ordering: .relaxed), .consecutive5xx)
    }

    private func count(_ streak: Int, _ threshold: Int, _ kind: OutlierKind) {
        // Those who come after the one that makes it full say nothing, so the control thread hears of it once.
        if streak == threshold { inbox.report(address, kind) }
    }
}
