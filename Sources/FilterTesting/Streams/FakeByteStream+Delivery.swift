internal import FilterAPI

/// How bytes come to the filter, and go on.
extension FakeByteStream {
    func arrive(_ bytes: [UInt8], last: Bool, isRequest: Bool) -> Step? {
        settle()
        guard !isOver else { return nil }
        let isIn = openIfNeeded()
        guard !isOver else { return nil }
        let direction = isRequest ? down : up
        // As in the host, a byte filter is shown all bytes until it leaves, whatever its interest says.
        if !isIn || direction.isLeft {
            pass(bytes, last: last, isRequest: isRequest)
            return nil
        }
        if direction.token != 0 {
            if isRequest { down.waiting.append(.body(bytes, last: last)) }
            if !isRequest { up.waiting.append(.body(bytes, last: last)) }
            return nil
        }
        return show(bytes, last: last, isRequest: isRequest)
    }

    private func show(_ bytes: [UInt8], last: Bool, isRequest: Bool) -> Step? {
        let tokensBefore = serial
        unsafe view.pointee.isRequest = isRequest
        var chunk = memory.pages.chunk(copying: bytes)
        let step: Step
        do throws(Fault) {
            step =
                isRequest
                ? unsafe try F._requestBytes(filterMemory, slot, &chunk, last, &view.pointee)
                : unsafe try F._responseBytes(filterMemory, slot, &chunk, last, &view.pointee)
        } catch {
            // What was sent before, an alert perhaps, still goes to the peer.
            _ = doWhatWasAsked()
            failed(error)
            return nil
        }
        if serial != tokensBefore, step != .hold, fetchToken == 0 { broken(.tokenWithoutHold) }
        guard doWhatWasAsked() else { return step }
        switch step {
        case .next, .leave:
            if step == .leave { if isRequest { down.isLeft = true } else { up.isLeft = true } }
            pass(chunk.copied(), last: last, isRequest: isRequest)
        case .hold:
            guard serial != tokensBefore else {
                broken(.heldWithoutToken, Fault(.filterStalled, "filter.held_bytes_without_token"))
                return step
            }
            let event = FakeEvent.body(chunk.copied(), last: last)
            if isRequest { down.held = [event] } else { up.held = [event] }
            if isRequest { down.token = serial } else { up.token = serial }
        case .taken: if last { pass([], last: true, isRequest: isRequest) }
        }
        return step
    }

    private func pass(_ bytes: [UInt8], last: Bool, isRequest: Bool) {
        // A direction ends once, whoever ends it first: a stage, or the socket.
        if isRequest ? down.passed.isComplete : up.passed.isComplete { return }
        if isRequest { down.passed.note(.body(bytes, last: last)) }
        if !isRequest { up.passed.note(.body(bytes, last: last)) }
    }

    func settleCall() -> Bool {
        fetchToken = 0
        unsafe view.pointee.asked = .none
        let answers = answersOfCall
        answersOfCall = 0
        let batch = sent
        sent = []
        for (isRequest, bytes, ends) in batch {
            let isEnded = isRequest ? down.passed.isComplete : up.passed.isComplete
            if isEnded && !ends { broken(.sentAfterEnd) }
            pass(bytes, last: ends, isRequest: isRequest)
        }
        if let fault = pendingFault {
            pendingFault = nil
            failed(fault)
            return false
        }
        if answers > 0 { broken(.answerToBytes, Fault(.filterFailed, "filter.reply_on_bytes")) }
        return !isOver
    }

    func tokenUsed(_ key: ResumptionKey, _ outcome: ResumptionOutcome) {
        let direction = key.isRequest ? down : up
        guard !isOver, direction.token != 0, direction.token == key.serial else { return }
        guard case .resumed = outcome else {
            let fault = Fault(.filterStalled, "filter.held_bytes_not_resumed")
            if case .dropped = outcome { broken(.droppedToken, fault) } else { failed(fault) }
            return
        }
        if key.isRequest { down.token = 0 } else { up.token = 0 }
        if key.isRequest { down.held = [] } else { up.held = [] }
        if key.isRequest { down.waiting = [] } else { up.waiting = [] }
        for case .body(let bytes, let last) in direction.held { pass(bytes, last: last, isRequest: key.isRequest) }
        for case .body(let bytes, let last) in direction.waiting {
            _ = arrive(bytes, last: last, isRequest: key.isRequest)
        }
    }
}
