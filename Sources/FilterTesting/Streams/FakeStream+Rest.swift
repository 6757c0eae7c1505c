internal import FilterAPI

/// Everything that is no event of a direction.
extension FakeStream {
    func showInterim() {
        settle()
        guard !isOver else { return }
        if openIfNeeded() {
            guard showInterimToFilter() else { return }
        } else if life != .declined {
            return
        }
        unsafe up.passed.interims.append(memory.response.pointee.status.code)
        upper?.showInterim()
    }

    /// - Returns: whether the head goes on.
    private func showInterimToFilter() -> Bool {
        guard interest.contains(.interimHead), !up.isLeft else { return true }
        unsafe view.pointee.isRequest = false
        do throws(Fault) {
            unsafe try F._interimHead(filterMemory, slot, &memory.response.pointee, &view.pointee)
        } catch {
            failed(error)
            return false
        }
        return doWhatWasAsked()
    }

    func showFault(_ fault: Fault) -> Bool {
        settle()
        // What waits for an answer gets none; what was answered already stays so.
        guard !isOver else { return false }
        guard openIfNeeded(), interest.contains(.faultBelow), !up.passed.hasHead else {
            passOn(fault)
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
        if !isTaken { passOn(fault) }
        return isTaken
    }

    /// The filter has not taken the fault in hand: the one above is asked.
    private func passOn(_ fault: Fault) {
        isFaultFromBelow = true
        failed(fault)
    }

    func forgetFault() -> Bool {
        guard fault != nil, !up.passed.hasHead, life == .open else { return false }
        let wasBelow = isFaultFromBelow
        fault = nil
        isFaultFromBelow = false
        down.held = []
        up.held = []
        (down.token, up.token, clusterToken) = (0, 0, 0)
        isAbandoned = false
        return wasBelow
    }

    func showCluster() -> Step? {
        settle()
        guard !isOver, openIfNeeded(), interest.contains(.clusterAttached) else { return nil }
        let tokensBefore = serial
        unsafe view.pointee.isRequest = true
        do throws(Fault) {
            let step = unsafe try F._clusterAttached(filterMemory, slot, &view.pointee)
            if serial != tokensBefore, step != .hold, fetchToken == 0 { broken(.tokenWithoutHold) }
            guard doWhatWasAsked(), step == .hold else { return step }
            if serial == tokensBefore {
                broken(.heldWithoutToken, Fault(.filterStalled, "filter.held_end_without_token"))
            }
            clusterToken = serial == tokensBefore ? 0 : serial
            return step
        } catch {
            failed(error)
            return nil
        }
    }

    func showEndpoint() -> Bool {
        settle()
        guard !isOver, openIfNeeded(), interest.contains(.endpointPicked) else { return true }
        unsafe view.pointee.isRequest = true
        do throws(Fault) {
            return unsafe try F._endpointPicked(filterMemory, slot, &view.pointee)
        } catch {
            failed(error)
            return false
        }
    }

    func tokenUsed(_ key: ResumptionKey, _ outcome: ResumptionOutcome) {
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
        case .donated(let status, _, let fields): answer(status, "", fields)
        case .reply(let status, let body, let fields): answer(status, body, fields)
        case .dropped: broken(.droppedToken, Fault(.filterStalled, "filter.dropped_token"))
        }
    }

    private func answer(_ status: Status, _ body: String, _ fields: [(name: HeaderName, value: String)]) {
        reply = RecordedReply(
            status: status.code, body: body, fields: fields.map { RecordedField(name: $0.name.text, value: $0.value) })
        answered()
    }
}
