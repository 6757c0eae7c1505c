/// The states of a breaker that failures open: closed, open, half-open. Knows no clock: time comes in.
struct CircuitState {
    enum Phase: UInt64 {
        case closed
        case open
        case halfOpen
    }

    private(set) var phase = Phase.closed
    /// Grows with each change of the phase, so that what comes late is known by it.
    private(set) var generation: UInt64 = 1
    /// When probes may begin, in nanoseconds.
    private(set) var openUntil: UInt64 = 0
    /// How long it was opened for the last time; 0 where it has been closed since.
    private(set) var openFor: UInt64 = 0
    /// Probes of this round that are on their way.
    private(set) var probesOut = 0
    private var probesPassed = 0
    /// Probes that take longer than the breaker is open are given up, and others sent: a new round.
    private var round: UInt32 = 0
    private var roundEnd: UInt64 = 0

    /// Phase and generation in one word.
    var gate: CircuitGate { CircuitGate(phase, generation) }

    /// Opens a closed breaker.
    mutating func trip(at now: UInt64, _ rules: ErrorRules) {
        guard phase == .closed else { return }
        open(at: now, rules)
    }

    private mutating func open(at now: UInt64, _ rules: ErrorRules) {
        openFor = min(max(openFor &* 2, rules.openFor), rules.maxOpenFor)
        openUntil = now &+ openFor
        enter(.open)
    }

    private mutating func enter(_ phase: Phase) {
        self.phase = phase
        generation &+= 1
        probesOut = 0
        probesPassed = 0
        round = 0
    }

    /// Lets a request through or not.
    mutating func admit(at now: UInt64, _ rules: ErrorRules) -> Admission {
        switch phase {
        case .closed: return .admitted(Permit(gate: gate))
        case .open:
            guard now >= openUntil else { return .refused(until: openUntil) }
            enter(.halfOpen)
            roundEnd = now &+ rules.openFor
        case .halfOpen:
            guard probesOut >= rules.probes else { break }
            guard now >= roundEnd else { return .refused(until: roundEnd) }
            probesOut = 0
            round &+= 1
            roundEnd = now &+ rules.openFor
        }
        probesOut += 1
        return .admitted(Permit(gate: gate, round: round))
    }

    /// A probe has ended.
    ///
    /// - Parameter outcome: nil where nothing was learnt; the next request may probe in its place.
    /// - Returns: the change that this has brought about.
    mutating func probeEnded(_ permit: Permit, _ outcome: Outcome?, at now: UInt64, _ rules: ErrorRules)
        -> CircuitChange?
    {
        guard phase == .halfOpen, permit.gate == gate else { return nil }
        if permit.round == round { probesOut -= 1 }
        switch outcome {
        case nil: return nil
        case .success:
            probesPassed += 1
            guard probesPassed >= rules.probes else { return nil }
            openFor = 0
            enter(.closed)
            return .closed(probes: rules.probes)
        case .slow, .failure, .brokenOff:
            open(at: now, rules)
            return .opened(outcome == .slow ? .probeSlow : .probeFailed, for: openFor)
        }
    }

    /// The answer of a probe that had succeeded broke off.
    mutating func probeBrokeOff(_ permit: Permit, at now: UInt64, _ rules: ErrorRules) -> CircuitChange? {
        guard phase == .halfOpen, permit.gate == gate else { return nil }
        open(at: now, rules)
        return .opened(.probeFailed, for: openFor)
    }
}

/// What a request was let through with.
struct Permit {
    let gate: CircuitGate
    var round: UInt32 = 0

    /// Whether much depends on its outcome.
    var isProbe: Bool { gate.phase == .halfOpen }
}

/// Whether a request may go on.
enum Admission {
    case admitted(Permit)
    /// Not before this time, in nanoseconds.
    case refused(until: UInt64)
}

/// A change that operators are told of.
enum CircuitChange: Equatable {
    /// For so many nanoseconds.
    case opened(OpeningCause, for: UInt64)
    case closed(probes: Int)
}
