internal import Synchronization

/// A breaker that failures open, for all workers.
///
/// While it is closed, a request reads one word on its way down, and adds to its worker's own window on its way up. The
/// lock is for failures, slow answers, and as long as the breaker is not closed.
final class ErrorCircuit: Sendable {
    private struct Guarded {
        var state = CircuitState()
        /// By the number of the worker.
        var windows: [OutcomeWindow?] = []
    }

    private let gateWord = Atomic<UInt64>(CircuitState().gate.word)
    private let openUntil = Atomic<UInt64>(0)
    private let failuresInARow = Atomic<Int>(0)
    private let guarded = Mutex(Guarded())

    private var gate: CircuitGate { CircuitGate(word: gateWord.load(ordering: .acquiring)) }

    /// Whether it is open or half-open.
    var isOpen: Bool { !gate.isClosed }

    /// The window of one worker; the same for all that ask for the same length.
    func window(ofWorker index: Int, length: UInt64) -> OutcomeWindow {
        guarded.withLock { guarded in
            while guarded.windows.count <= index { guarded.windows.append(nil) }
            if let known = guarded.windows[index], known.length == length { return known }
            let fresh = OutcomeWindow(length: length)
            guarded.windows[index] = fresh
            return fresh
        }
    }

    /// Whether it is certain, without a lock, that nothing may go on.
    ///
    /// - Returns: until when; nil where it is to be seen by ``admit(at:_:)``.
    func refusal(at now: UInt64) -> UInt64? {
        guard gate.phase == .open else { return nil }
        let until = openUntil.load(ordering: .relaxed)
        return now < until ? until : nil
    }

    /// Lets a request through or not.
    func admit(at now: UInt64, _ rules: ErrorRules) -> Admission {
        let seen = gate
        if seen.isClosed { return .admitted(Permit(gate: seen)) }
        return guarded.withLock { guarded in
            let admission = guarded.state.admit(at: now, rules)
            publish(guarded.state)
            return admission
        }
    }

    private func publish(_ state: borrowing CircuitState) {
        openUntil.store(state.openUntil, ordering: .relaxed)
        gateWord.store(state.gate.word, ordering: .releasing)
    }

    /// Notes how a request ended that was let through.
    ///
    /// - Parameters:
    ///   - outcome: nil where nothing was learnt.
    ///   - window: that of the calling worker.
    /// - Returns: the change that this has brought about.
    func record(
        _ outcome: Outcome?, _ permit: Permit, _ window: OutcomeWindow, at now: UInt64, _ rules: ErrorRules
    ) -> CircuitChange? {
        // What was let through before the last change says nothing about how things are now.
        guard gate == permit.gate else { return nil }
        if permit.isProbe { return probeEnded(permit, outcome, at: now, rules) }
        guard let outcome else { return nil }
        window.add(outcome, generation: permit.gate.generation, at: now)
        if outcome == .failure || outcome == .brokenOff { failuresInARow.add(1, ordering: .relaxed) }
        return outcome == .success ? nil : look(permit, at: now, rules)
    }

    /// An answer that is no failure has come to its end, which ends a row of failures.
    func completed(_ permit: Permit) {
        guard failuresInARow.load(ordering: .relaxed) != 0, gate == permit.gate else { return }
        failuresInARow.store(0, ordering: .relaxed)
    }

    private func probeEnded(_ permit: Permit, _ outcome: Outcome?, at now: UInt64, _ rules: ErrorRules)
        -> CircuitChange?
    {
        guarded.withLock { guarded in
            let change =
                outcome == .brokenOff
                ? guarded.state.probeBrokeOff(permit, at: now, rules)
                : guarded.state.probeEnded(permit, outcome, at: now, rules)
            if change != nil { failuresInARow.store(0, ordering: .relaxed) }
            publish(guarded.state)
            return change
        }
    }

    /// Looks whether the breaker has to open.
    private func look(_ permit: Permit, at now: UInt64, _ rules: ErrorRules) -> CircuitChange? {
        guarded.withLock { guarded in
            guard guarded.state.gate == permit.gate else { return nil }
            var sums = OutcomeSums()
            for window in guarded.windows {
                window?.addUp(into: &sums, generation: permit.gate.generation, at: now)
            }
            let inARow = failuresInARow.load(ordering: .relaxed)
            guard let cause = rules.cause(sums, inARow: inARow) else { return nil }
            guarded.state.trip(at: now, rules)
            failuresInARow.store(0, ordering: .relaxed)
            publish(guarded.state)
            return .opened(cause, for: guarded.state.openFor)
        }
    }
}
