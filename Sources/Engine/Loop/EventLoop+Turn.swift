internal import CLinux

extension EventLoop {
    /// How often the end phase goes round in one turn before it leaves the rest to the next turn.
    private static let endPhaseRounds = 16

    /// One turn: waits for at most `maxWait` nanoseconds (for ever if nil) and serves what there is.
    public func turn(maxWait: Nanoseconds?) {
        _ = turn(maxWait: maxWait, clock: Syscalls.timeNow())
    }

    /// One turn that starts at `clock`.
    ///
    /// - Returns: the time at its end, so that turns one after the other share a reading of the clock.
    func turn(maxWait: Nanoseconds?, clock: Nanoseconds) -> Nanoseconds {
        precondition(!isInTurn, "a turn cannot run inside a turn")
        isInTurn = true
        turnNumber &+= 1
        // SAFETY: the buffer has room for a whole batch.
        let count = unsafe Syscalls.epollWait(epoll, events, EventLoop.batchSize, milliseconds: timeout(maxWait, clock))
        now = Syscalls.timeNow()
        pulse.beat(now)
        dispatch(count)
        counters.timers &+= UInt64(wheel.advance(to: now))
        runAgain()
        runTurnEnds()
        releaseDeregistered()
        isInTurn = false
        return endTurn(events: count)
    }

    /// How long the kernel may wait: not at all if work is left over, else until the next timer, in whole milliseconds up.
    private func timeout(_ maxWait: Nanoseconds?, _ clock: Nanoseconds) -> Int32 {
        if unsafe !againNext.isEmpty || !turnEnd.isEmpty { return 0 }
        var wait = maxWait ?? .max
        if let deadline = wheel.nextDeadline {
            wait = min(wait, deadline > clock ? deadline - clock : 0)
        }
        if wait == .max { return -1 }
        let (whole, rest) = wait.quotientAndRemainder(dividingBy: 1_000_000)
        return Int32(clamping: rest == 0 ? whole : whole + 1)
    }

    private func dispatch(_ count: Int) {
        if !againNext.isEmpty { swap(&againNow, &againNext) }
        var wake = false
        for index in 0..<count {
            // SAFETY: the kernel filled `count` events.
            let event = unsafe events[index]
            let token = unsafe event.data.u64
            if token == EventLoop.wakeToken {
                wake = true
                continue
            }
            guard let source = unsafe table.source(token: token) else {
                counters.staleEvents &+= 1
                continue
            }
            counters.events &+= 1
            unsafe deliver(Readiness(rawValue: event.events), to: source)
        }
        if wake { runJobs() }
    }

    /// SAFETY: the source is in the table now; if it deregisters itself, `released` keeps it until the turn's end.
    @inline(__always)
    private func deliver(_ readiness: Readiness, to source: Unmanaged<EventSource>) {
        unsafe source._withUnsafeGuaranteedRef { source in
            var readiness = readiness
            if source.againTurn == turnNumber {
                source.againTurn = 0
                readiness.insert(.readable)
            }
            source.ready(readiness)
        }
    }

    private func runJobs() {
        poster.take(into: &jobs)
        for job in jobs {
            switch job {
            case .plain(let body): body()
            case .withLoop(let body): body(self)
            }
        }
        counters.jobs &+= UInt64(jobs.count)
        jobs.removeAll(keepingCapacity: true)
    }

    private func runAgain() {
        if againNow.isEmpty { return }
        for index in againNow.indices {
            guard let source = unsafe table.source(token: againNow[index]) else { continue }
            // SAFETY: as in `deliver`.
            unsafe source._withUnsafeGuaranteedRef { source in
                guard source.againTurn == turnNumber else { return }
                source.againTurn = 0
                source.ready(.readable)
            }
        }
        againNow.removeAll(keepingCapacity: true)
    }

    private func runTurnEnds() {
        for _ in 0..<EventLoop.endPhaseRounds where unsafe !turnEnd.isEmpty {
            unsafe swap(&turnEnd, &turnEndNow)
            for index in unsafe turnEndNow.indices {
                // SAFETY: the table or `released` retains everything in this list.
                unsafe turnEndNow[index]._withUnsafeGuaranteedRef { source in
                    guard source.wantsTurnEnd else { return }
                    source.wantsTurnEnd = false
                    source.turnEnded()
                }
            }
            unsafe turnEndNow.removeAll(keepingCapacity: true)
        }
    }

    /// Releasing a source may deregister others, so this goes on until nothing is left.
    func releaseDeregistered() {
        guard unsafe turnEnd.isEmpty else { return }
        while let source = unsafe released.popLast() { unsafe source.release() }
    }

    private func endTurn(events: Int) -> Nanoseconds {
        let clock = Syscalls.timeNow()
        let lag = clock &- now
        counters.turns &+= 1
        counters.busy &+= lag
        counters.longestTurn = max(counters.longestTurn, lag)
        pulse.beat(0)
        onTurn?(LoopTurn(events: events, lag: lag))
        return clock
    }
}
