internal import FilterAPI

/// How events come to the filter, and what becomes of its verdicts.
extension FakeStream {
    /// An event comes to the filter.
    func arrive(_ event: FakeEvent, isRequest: Bool) -> Step? {
        settle()
        guard !isOver, !(isRequest && memory.isRequestDropped) else { return nil }
        if isRequest, case .head = event { shownRequest = request.copy() }
        guard openIfNeeded() else {
            if life == .declined { pass(event, isRequest: isRequest) }
            return nil
        }
        return show(event, isRequest: isRequest)
    }

    func show(_ event: FakeEvent, isRequest: Bool) -> Step? {
        let direction = isRequest ? down : up
        if direction.token != 0 {
            if isRequest { down.waiting.append(event) } else { up.waiting.append(event) }
            checkHeld(isRequest: isRequest)
            return nil
        }
        if direction.isLeft || !wants(event, isRequest: isRequest) && direction.held.isEmpty {
            pass(event, isRequest: isRequest)
            return nil
        }
        let tokensBefore = serial
        let restartsBefore = restarts.count
        let abandonsBefore = abandonCount
        guard let (step, event) = call(event, isRequest: isRequest) else { return nil }
        let asksToPause = serial != tokensBefore
        if asksToPause, step != .hold, fetchToken == 0 { broken(.tokenWithoutHold) }
        guard doWhatWasAsked() else { return step }
        if restarts.count > restartsBefore || abandonCount > abandonsBefore {
            // What was being shown belongs to the try that was given up, and so does what is held of its answer.
            up.held = []
            up.token = 0
            return step
        }
        follow(step, event, isRequest: isRequest, token: asksToPause ? serial : 0)
        return step
    }

    private func wants(_ event: FakeEvent, isRequest: Bool) -> Bool {
        switch event {
        case .head: interest.contains(isRequest ? .requestHead : .responseHead)
        case .body: interest.contains(isRequest ? .requestBody : .responseBody)
        case .trailers: interest.contains(isRequest ? .requestTrailers : .responseTrailers)
        }
    }

    /// - Returns: what the filter said, and what it made of the event; nil where it threw.
    private func call(_ event: FakeEvent, isRequest: Bool) -> (Step, FakeEvent)? {
        unsafe view.pointee.isRequest = isRequest
        let memory = memory
        do throws(Fault) {
            switch event {
            case .head(let last):
                let step =
                    isRequest
                    ? unsafe try F._requestHead(filterMemory, slot, &memory.request.pointee, last, &view.pointee)
                    : unsafe try F._responseHead(filterMemory, slot, &memory.response.pointee, last, &view.pointee)
                return (step, event)
            case .body(let bytes, let last):
                var chunk = memory.pages.chunk(copying: bytes)
                let step =
                    isRequest
                    ? unsafe try F._requestBody(filterMemory, slot, &chunk, last, &view.pointee)
                    : unsafe try F._responseBody(filterMemory, slot, &chunk, last, &view.pointee)
                return (step, .body(chunk.copied(), last: last))
            case .trailers:
                let step =
                    isRequest
                    ? unsafe try F._requestTrailers(filterMemory, slot, &memory.requestTrailers.pointee, &view.pointee)
                    : unsafe try F._responseTrailers(
                        filterMemory, slot, &memory.responseTrailers.pointee, &view.pointee)
                return (step, event)
            }
        } catch {
            failed(error)
            return nil
        }
    }

    private func follow(_ step: Step, _ event: FakeEvent, isRequest: Bool, token: UInt32) {
        switch step {
        case .next, .leave:
            if step == .leave { if isRequest { down.isLeft = true } else { up.isLeft = true } }
            letGo(isRequest: isRequest)
            pass(event, isRequest: isRequest)
        case .hold:
            if isRequest { down.held.append(event) } else { up.held.append(event) }
            if isRequest { down.token = token } else { up.token = token }
            if token == 0, event.isLast {
                return broken(.heldWithoutToken, Fault(.filterStalled, "filter.held_end_without_token"))
            }
            checkHeld(isRequest: isRequest)
        case .taken:
            if case .head = event { return broken(.tookHead, Fault(.filterFailed, "filter.took_head")) }
            if case .body(_, last: true) = event {
                letGo(isRequest: isRequest)
                pass(.body([], last: true), isRequest: isRequest)
            }
        }
    }

    private func checkHeld(isRequest: Bool) {
        let direction = isRequest ? down : up
        guard direction.heldBytes > holdLimit.bytes else { return }
        // What waits behind a token is the host's limit, not the filter's doing.
        let fault = Fault(isRequest ? .bodyTooLarge : .filterFailed, "filter.held_too_much", origin: .sluice)
        if direction.token == 0 { broken(.heldTooMuch, fault) } else { failed(fault) }
    }

    /// Does what the filter asked for during a call that has just returned.
    ///
    /// - Returns: whether the event that was being shown goes on.
    func settleCall() -> Bool {
        fetchToken = 0
        unsafe view.pointee.asked = .none
        defer { hasReplied = false }
        if let fault = pendingFault {
            pendingFault = nil
            if "\(fault.reason)" == "filter.replied_twice" { brokenRules.append(.secondAnswer) }
            failed(fault)
            return false
        }
        if hasReplied {
            answered()
            return false
        }
        if pendingRestart { restartLower() } else if isAbandoned { lower?.closeForReplay() }
        let batch = sent
        sent = []
        for (isRequest, bytes, ends) in batch {
            checkSent(isRequest: isRequest)
            pass(.body(bytes, last: ends), isRequest: isRequest)
        }
        return !isOver
    }

    private func checkSent(isRequest: Bool) {
        if isRequest && isAbandoned { return }
        let direction = isRequest ? down : up
        if direction.passed.isComplete { return broken(.sentAfterEnd) }
        if !direction.passed.hasHead { broken(.sentBeforeHead) }
    }

    /// The stream ends with a fault, unless a filter above takes it in hand.
    func give(up fault: Fault) {
        sent = []
        guard self.fault == nil else { return }
        self.fault = fault
        if !up.passed.hasHead { _ = upper?.showFault(fault) }
    }
}
