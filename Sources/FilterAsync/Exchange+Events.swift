internal import FilterAPI

/// What the stream's events bring, and what is said to them.
extension Exchange {
    // MARK: The request

    /// The head is there, and the filter has run until it waits.
    func requestHead(last: Bool, _ stream: inout Stream) throws(Fault) -> Step {
        try decide(isRequest: true, last: last, &stream)
    }

    func requestBody(_ chunk: inout ByteChunk, last: Bool, _ stream: inout Stream) throws(Fault) -> Step {
        if let requestMap, phase != .request { return requestMap.show(&chunk, last: last, &stream) }
        guard phase == .request else { return .leave }
        let copy = chunk.share()
        serve(&stream) { requestBody.push(copy.share(), last: last) }
        return try decide(isRequest: true, last: last, &stream)
    }

    func requestTrailers(_ stream: inout Stream) throws(Fault) -> Step {
        guard phase == .request else { return .next }
        serve(&stream) { requestBody.push(ByteChunk(), last: true) }
        return try decide(isRequest: true, last: true, &stream)
    }

    // MARK: The response

    func responseHead(last: Bool, _ stream: inout Stream) throws(Fault) -> Step {
        guard phase == .waiting else { return .leave }
        phase = .response
        serve(&stream) {
            if last { responseBody.push(ByteChunk(), last: true) }
            if let waiting = unsafe answerWaiter.take() { unsafe waiting.resume() }
        }
        return try decide(isRequest: false, last: last, &stream)
    }

    func responseBody(_ chunk: inout ByteChunk, last: Bool, _ stream: inout Stream) throws(Fault) -> Step {
        if phase == .done, let responseMap { return responseMap.show(&chunk, last: last, &stream) }
        guard phase == .response else { return .leave }
        let copy = chunk.share()
        serve(&stream) { responseBody.push(copy.share(), last: last) }
        return try decide(isRequest: false, last: last, &stream)
    }

    func responseTrailers(_ stream: inout Stream) throws(Fault) -> Step {
        guard phase == .response else { return .next }
        serve(&stream) { responseBody.push(ByteChunk(), last: true) }
        return try decide(isRequest: false, last: true, &stream)
    }

    /// Something below has failed before there was an answer: that is the answer.
    func faultArrived(_ fault: Fault, _ stream: inout Stream) throws(Fault) {
        guard phase == .waiting else { return }
        phase = .response
        faultBelow = fault
        serve(&stream) { if let waiting = unsafe answerWaiter.take() { unsafe waiting.resume() } }
        guard let outcome else {
            // The filter waits for something else before it decides.
            try stream.abandonBelow()
            isAbandoned = true
            return
        }
        self.outcome = nil
        switch outcome {
        case .pass: break
        case .fault(let own) where own.kind == fault.kind && own.origin == fault.origin: break
        case .fault(let own): stream.fail(own)
        case .reply(let reply): answer(reply, &stream)
        }
    }

    // MARK: Outside of events

    /// Time has come, or there is something to do outside of events.
    func woken(_ stream: inout Stream) {
        requestMap?.send(&stream)
        responseMap?.send(&stream)
        if sleepWaiter.isWaiting, isSleepOver {
            worker.executor.attend { if let waiting = unsafe sleepWaiter.take() { unsafe waiting.resume() } }
        }
        guard isAbandoned, let outcome else { return }
        self.outcome = nil
        isAbandoned = false
        switch outcome {
        case .pass: stream.fail(Fault(.filterFailed, "async.no_answer"))
        case .fault(let fault): stream.fail(fault)
        case .reply(let reply): answer(reply, &stream)
        }
    }

    // MARK: Verdicts

    /// Says to an event what the filter has made of it.
    private func decide(isRequest: Bool, last: Bool, _ stream: inout Stream) throws(Fault) -> Step {
        if let outcome {
            self.outcome = nil
            switch outcome {
            case .pass: return responseMap == nil ? .leave : .next
            case .fault(let fault): throw fault
            case .reply(let reply):
                answer(reply, &stream)
                return .next
            }
        }
        if isRequest, phase != .request { return requestMap == nil ? .leave : .next }
        // What a task reads is shown to it while the head waits; all else waits for the task.
        let port = isRequest ? requestBody : responseBody
        if last || !port.isWaitedFor { hold(isRequest: isRequest, &stream) }
        return .hold
    }

    private func answer(_ reply: LocalReply, _ stream: inout Stream) {
        stream.reply(reply.status, body: reply.body) { head in
            for field in reply.fields { head.headers.set(field.name, field.value) }
        }
    }
}
