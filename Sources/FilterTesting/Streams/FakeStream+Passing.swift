internal import FilterAPI

/// What goes on past the filter, to its neighbours.
extension FakeStream {
    /// Lets what is held go on.
    func letGo(isRequest: Bool) {
        let held = isRequest ? down.held : up.held
        if isRequest { down.held = [] } else { up.held = [] }
        for event in held { pass(event, isRequest: isRequest) }
    }

    func pass(_ event: FakeEvent, isRequest: Bool) {
        if isRequest && isAbandoned { return }
        if isRequest { noteRequest(event) } else { noteResponse(event) }
        if isRequest { lower?.comesBy(event, isRequest: true) } else { upper?.comesBy(event, isRequest: false) }
    }

    private func noteRequest(_ event: FakeEvent) {
        down.passed.note(event)
        switch event {
        case .head: down.passed.fields = unsafe RecordedField.all(memory.request.pointee.headers)
        case .body: break
        case .trailers: down.passed.trailers = unsafe RecordedField.all(memory.requestTrailers.pointee)
        }
    }

    private func noteResponse(_ event: FakeEvent) {
        up.passed.note(event)
        switch event {
        case .head:
            up.passed.fields = unsafe RecordedField.all(memory.response.pointee.headers)
            up.passed.status = unsafe memory.response.pointee.status.code
        case .body: break
        case .trailers: up.passed.trailers = unsafe RecordedField.all(memory.responseTrailers.pointee)
        }
    }

    // MARK: Answers and replays in a chain

    /// The filter has answered: the filters above see it like any other answer.
    func answered() {
        sent = []
        guard let reply else { return }
        memory.isRequestDropped = true
        if up.passed.hasHead {
            self.reply = nil
            return broken(.secondAnswer, Fault(.filterFailed, "filter.second_response"))
        }
        guard let upper else { return }
        var fields = reply.fields.map { (name: $0.name, value: $0.value) }
        if !reply.body.isEmpty { fields.append(("content-length", "\(reply.body.utf8.count)")) }
        memory.setResponse(Status(reply.status), fields, last: reply.body.isEmpty)
        upper.comesBy(.head(last: reply.body.isEmpty), isRequest: false)
        if !reply.body.isEmpty { upper.comesBy(.body(Array(reply.body.utf8), last: true), isRequest: false) }
    }

    func restartLower() {
        pendingRestart = false
        memory.isRequestDropped = false
        guard let lower, let restart = restarts.last else { return }
        lower.reopen()
        lower.comesBy(.head(last: restart.last), isRequest: true)
    }

    /// Closes the filter for a replay from above.
    func closeForReplay() {
        guard life != .new else { return }
        // A stream that was answered or has failed is closed like any other.
        close(.replay)
        lower?.closeForReplay()
    }

    func reopen() {
        closeForReplay()
        lower?.reopen()
        life = .new
        fault = nil
        isFaultFromBelow = false
        reply = nil
        pendingFault = nil
        pendingRestart = false
        isAbandoned = false
        restarts = []
        abandonCount = 0
        sent = []
        clusterToken = 0
        attached = nil
        down = FakeDirection()
        up = FakeDirection()
        memory.isRequestDropped = false
    }
}

extension FakeStream: FakeNeighbour {
    func comesBy(_ event: FakeEvent, isRequest: Bool) { _ = arrive(event, isRequest: isRequest) }

    func look() {
        settle()
        wakeIfDue()
    }
}
