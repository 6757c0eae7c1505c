package import FilterAPI

/// What the filter calls through `Stream`. Most of it is only noted: it happens when the filter has returned.
extension FakeStream: StreamHost {
    package var connectionFacts: ConnectionFacts { connection }
    package var now: Instant { clock.now }
    package var pages: PagePool { pagePool }
    package var requestHead: UnsafeMutablePointer<RequestHead> { unsafe requestMemory }

    package func useRouteSettings(_ settings: RouteSettingsTable?) { routeTable = settings }

    package func makeResumption(stage: Int, isRequest: Bool) -> Resumption {
        serial += 1
        let key = ResumptionKey(slot: 0, generation: 0, stage: UInt8(stage), isRequest: isRequest, serial: serial)
        return Resumption(target: mailbox, key: key)
    }

    package func wake(stage: Int, after delay: Duration) {
        wakeDue = Instant(nanoseconds: clock.now.nanoseconds &+ delay.wholeNanoseconds)
    }

    package func cancelWake(stage: Int) { wakeDue = nil }

    package func reply(stage: Int, _ status: Status, body: String, _ edit: (inout ResponseHead) -> Void) {
        var head = ResponseHead()
        head.status = status
        edit(&head)
        reply = RecordedReply(status: head.status.code, body: body, fields: RecordedField.all(head.headers))
    }

    package func handshake(stage: Int, isOver: Bool) { isInHandshake = !isOver }

    package func fail(stage: Int, _ fault: Fault) { pendingFault = fault }

    package func send(stage: Int, isRequest: Bool, _ chunk: consuming ByteChunk) {
        sent.append((isRequest, chunk.copied(), false))
    }

    package func sendEnd(stage: Int, isRequest: Bool) { sent.append((isRequest, [], true)) }

    package func limit(to deadline: Instant) {
        if deadline != .none, self.deadline == .none || deadline < self.deadline { self.deadline = deadline }
    }

    package func claimReplay() -> Bool { hasRoomForReplay }

    package func abandonBelow(stage: Int) throws(Fault) {
        guard !up.passed.hasHead else { throw Fault(.filterFailed, "filter.replay_after_response") }
        isAbandoned = true
        abandonCount += 1
        down = FakeDirection()
        up = FakeDirection()
        clusterToken = 0
        attached = nil
    }

    package func restartBelow(stage: Int, _ head: borrowing RequestHead, last: Bool) throws(Fault) {
        guard !up.passed.hasHead else { throw Fault(.filterFailed, "filter.replay_after_response") }
        isAbandoned = false
        clusterToken = 0
        let request = RecordedRequest(head, isComplete: last)
        restarts.append(RecordedRestart(request: request, last: last))
        down = FakeDirection()
        up = FakeDirection()
        down.passed.hasHead = true
        down.passed.fields = request.fields
        down.passed.isComplete = last
        attached = nil
    }

    package func attach(_ cluster: ClusterID, _ attachment: Attachment) {
        attached = RecordedAttachment(cluster: cluster, attachment: attachment)
    }
}
