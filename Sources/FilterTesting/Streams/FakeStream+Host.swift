package import FilterAPI

/// What an HTTP filter calls through `Stream`. Most of it is only noted: it happens when the filter has returned.
extension FakeStream: StreamHost {
    package func reply(stage: Int, _ status: Status, body: String, _ edit: (inout ResponseHead) -> Void) {
        hasReplied = true
        var head = ResponseHead()
        head.status = status
        edit(&head)
        reply = RecordedReply(status: head.status.code, body: body, fields: RecordedField.all(head.headers))
    }

    package func send(stage: Int, isRequest: Bool, _ chunk: consuming ByteChunk) {
        sent.append((isRequest, chunk.copied(), false))
    }

    package func sendEnd(stage: Int, isRequest: Bool) { sent.append((isRequest, [], true)) }

    package func claimReplay() -> Bool { hasRoomForReplay }

    package func abandonBelow(stage: Int) throws(Fault) {
        try checkReplay()
        isAbandoned = true
        abandonCount += 1
        forgetTry()
    }

    package func restartBelow(stage: Int, _ head: borrowing RequestHead, last: Bool) throws(Fault) {
        try checkReplay()
        isAbandoned = false
        pendingRestart = true
        let request = RecordedRequest(head, isComplete: last)
        restarts.append(RecordedRestart(request: request, last: last))
        let copy = head.copy()
        unsafe memory.request.pointee.assign(from: copy)
        forgetTry()
        down.passed.hasHead = true
        down.passed.fields = request.fields
        down.passed.isComplete = last
    }

    private func checkReplay() throws(Fault) {
        guard up.passed.hasHead else { return }
        brokenRules.append(.lateReplay)
        throw Fault(.filterFailed, "filter.replay_after_response")
    }

    /// What is known of the try that is given up, is so no more.
    private func forgetTry() {
        down = FakeDirection()
        up = FakeDirection()
        clusterToken = 0
        attached = nil
    }
}
