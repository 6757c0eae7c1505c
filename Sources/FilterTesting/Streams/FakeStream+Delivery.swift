internal import FilterAPI

/// How events come to the filter, and go on.
extension FakeStream {
    /// An event comes to the filter.
    func arrive(_ event: FakeEvent, isRequest: Bool) -> Step? {
        settle()
        guard !isOver else { return nil }
        guard openIfNeeded() else {
            if life == .declined { pass(event, isRequest: isRequest) }
            return nil
        }
        return show(event, isRequest: isRequest)
    }

    private func show(_ event: FakeEvent, isRequest: Bool) -> Step? {
        let direction = isRequest ? down : up
        if direction.token != 0 {
            if isRequest { down.waiting.append(event) } else { up.waiting.append(event) }
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
        case .head: F.interest.contains(isRequest ? .requestHead : .responseHead)
        case .body: F.interest.contains(isRequest ? .requestBody : .responseBody)
        case .trailers: F.interest.contains(isRequest ? .requestTrailers : .responseTrailers)
        }
    }

    /// - Returns: what the filter said, and what it made of the event; nil where it threw.
    private func call(_ event: FakeEvent, isRequest: Bool) -> (Step, FakeEvent)? {
        unsafe view.pointee.isRequest = isRequest
        do throws(Fault) {
            switch event {
            case .head(let last):
                let step =
                    isRequest
                    ? unsafe try F._requestHead(filterMemory, slot, &requestMemory.pointee, last, &view.pointee)
                    : unsafe try F._responseHead(filterMemory, slot, &responseMemory.pointee, last, &view.pointee)
                return (step, event)
            case .body(let bytes, let last):
                var chunk = pagePool.chunk(copying: bytes)
                let step =
                    isRequest
                    ? unsafe try F._requestBody(filterMemory, slot, &chunk, last, &view.pointee)
                    : unsafe try F._responseBody(filterMemory, slot, &chunk, last, &view.pointee)
                return (step, .body(chunk.copied(), last: last))
            case .trailers:
                let step =
                    isRequest
                    ? unsafe try F._requestTrailers(filterMemory, slot, &requestTrailersMemory.pointee, &view.pointee)
                    : unsafe try F._responseTrailers(filterMemory, slot, &responseTrailersMemory.pointee, &view.pointee)
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
            if token == 0, event.isLast { failed(Fault(.filterStalled, "filter.held_end_without_token")) }
        case .taken:
            if case .head = event { return failed(Fault(.filterFailed, "filter.took_head")) }
            if case .body(_, last: true) = event {
                letGo(isRequest: isRequest)
                pass(.body([], last: true), isRequest: isRequest)
            }
        }
    }

    // MARK: Going on

    private func letGo(isRequest: Bool) {
        let held = isRequest ? down.held : up.held
        if isRequest { down.held = [] } else { up.held = [] }
        for event in held { pass(event, isRequest: isRequest) }
    }

    private func pass(_ event: FakeEvent, isRequest: Bool) {
        if isRequest && isAbandoned { return }
        var passed = isRequest ? down.passed : up.passed
        switch event {
        case .head(let last):
            passed.hasHead = true
            passed.fields =
                isRequest
                ? unsafe RecordedField.all(requestMemory.pointee.headers)
                : unsafe RecordedField.all(responseMemory.pointee.headers)
            if !isRequest { passed.status = unsafe responseMemory.pointee.status.code }
            passed.isComplete = last
        case .body(let bytes, let last):
            passed.body += bytes
            passed.isComplete = last
        case .trailers:
            passed.trailers =
                isRequest
                ? unsafe RecordedField.all(requestTrailersMemory.pointee)
                : unsafe RecordedField.all(responseTrailersMemory.pointee)
            passed.isComplete = true
        }
        if isRequest { down.passed = passed } else { up.passed = passed }
    }

    /// - Returns: whether the event that was being shown goes on.
    func doWhatWasAsked() -> Bool {
        fetchToken = 0
        unsafe view.pointee.asked = .none
        if let fault = pendingFault {
            pendingFault = nil
            failed(fault)
            return false
        }
        if reply != nil { return false }
        for (isRequest, bytes, ends) in sent { pass(.body(bytes, last: ends), isRequest: isRequest) }
        sent = []
        return true
    }

    func failed(_ fault: Fault) {
        sent = []
        if self.fault == nil { self.fault = fault }
    }

    // MARK: Everything that is no event of a direction

    /// - Returns: whether the filter is in the stream.
    func openIfNeeded() -> Bool {
        guard life == .new else { return life == .open }
        guard Self.hasLifetime else {
            life = .open
            return true
        }
        life = .closed
        unsafe view.pointee.isRequest = true
        do throws(Fault) {
            life = unsafe try F._open(filterMemory, slot, &view.pointee) ? .open : .declined
        } catch {
            failed(error)
            return false
        }
        return life == .open && doWhatWasAsked()
    }

    func showInterim() {
        settle()
        guard !isOver, openIfNeeded() else { return }
        if F.interest.contains(.interimHead), !up.isLeft {
            unsafe view.pointee.isRequest = false
            do throws(Fault) {
                unsafe try F._interimHead(filterMemory, slot, &responseMemory.pointee, &view.pointee)
            } catch {
                return failed(error)
            }
            guard doWhatWasAsked() else { return }
        }
        unsafe up.passed.interims.append(responseMemory.pointee.status.code)
    }

    func showFault(_ fault: Fault) -> Bool {
        settle()
        guard !isOver, openIfNeeded(), F.interest.contains(.faultBelow) else {
            failed(fault)
            return false
        }
        let restartsBefore = restarts.count
        let abandonsBefore = abandonCount
        unsafe view.pointee.isRequest = false
        do throws(Fault) {
            unsafe try F._faultBelow(filterMemory, slot, fault, &view.pointee)
        } catch {
            failed(error)
            return false
        }
        _ = doWhatWasAsked()
        let isTaken =
            reply != nil || restarts.count > restartsBefore || abandonCount > abandonsBefore || self.fault != nil
        if !isTaken { failed(fault) }
        return isTaken
    }

    func showCluster() -> Step? {
        settle()
        guard !isOver, openIfNeeded(), F.interest.contains(.clusterAttached) else { return nil }
        let tokensBefore = serial
        unsafe view.pointee.isRequest = true
        do throws(Fault) {
            let step = unsafe try F._clusterAttached(filterMemory, slot, &view.pointee)
            guard doWhatWasAsked(), step == .hold else { return step }
            if serial == tokensBefore { failed(Fault(.filterStalled, "filter.held_end_without_token")) }
            clusterToken = serial == tokensBefore ? 0 : serial
            return step
        } catch {
            failed(error)
            return nil
        }
    }

    func showEndpoint() -> Bool {
        settle()
        guard !isOver, openIfNeeded(), F.interest.contains(.endpointPicked) else { return true }
        unsafe view.pointee.isRequest = true
        do throws(Fault) {
            return unsafe try F._endpointPicked(filterMemory, slot, &view.pointee)
        } catch {
            failed(error)
            return false
        }
    }

    func wake() {
        wakeDue = nil
        guard !isOver else { return }
        do throws(Fault) {
            unsafe try F._wake(filterMemory, slot, &view.pointee)
        } catch {
            return failed(error)
        }
        _ = doWhatWasAsked()
    }

    func resumed(_ key: ResumptionKey, _ outcome: ResumptionOutcome) {
        let direction = key.isRequest ? down : up
        let isAtCluster = clusterToken == key.serial
        guard !isOver, isAtCluster || direction.token == key.serial else { return }
        if isAtCluster { clusterToken = 0 } else if key.isRequest { down.token = 0 } else { up.token = 0 }
        switch outcome {
        case .more:
            if key.isRequest { down.waiting = [] } else { up.waiting = [] }
            for event in direction.waiting { _ = show(event, isRequest: key.isRequest) }
        case .resumed where isAtCluster: break
        case .resumed:
            letGo(isRequest: key.isRequest)
            if key.isRequest { down.waiting = [] } else { up.waiting = [] }
            for event in direction.waiting { _ = show(event, isRequest: key.isRequest) }
        case .failed(let fault): failed(fault)
        case .donated(let status, _, let fields):
            reply = RecordedReply(
                status: status.code, body: "", fields: fields.map { RecordedField(name: $0.name.text, value: $0.value) }
            )
        case .reply(let status, let body, let fields):
            reply = RecordedReply(
                status: status.code, body: body,
                fields: fields.map { RecordedField(name: $0.name.text, value: $0.value) })
        case .dropped: failed(Fault(.filterStalled, "filter.dropped_token"))
        }
    }
}
