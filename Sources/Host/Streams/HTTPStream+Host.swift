internal import Engine
internal import FilterAPI

/// What filters call through `Stream`. Most of it only notes what is to happen after the filter has returned.
extension HTTPStream: StreamHost {
    var connectionFacts: ConnectionFacts { unsafe connection?.facts ?? Connection.noFacts }
    var side: Side { .client }
    var now: Instant { worker.instant }
    var pages: PagePool { worker.pages }
    var deadline: FilterAPI.Instant { FilterAPI.Instant(nanoseconds: timeoutAt) }

    func limit(to deadline: FilterAPI.Instant) {
        guard deadline != .none, timeoutAt == 0 || deadline.nanoseconds < timeoutAt else { return }
        timeoutAt = deadline.nanoseconds
        flags.insert(.limited)
        armTimer()
    }

    var requestHead: UnsafeMutablePointer<RequestHead> { unsafe headMemory }

    func useRouteSettings(_ settings: RouteSettingsTable?) { routeTable = settings }

    func makeResumption(stage: Int, isRequest: Bool) -> Resumption {
        pendingToken = nextToken()
        let key = ResumptionKey(
            slot: slot, generation: generation, stage: UInt8(stage), isRequest: isRequest, serial: pendingToken)
        return Resumption(target: worker.mailbox, key: key)
    }

    func nextToken() -> UInt32 {
        tokenSerial &+= 1
        if tokenSerial == 0 { tokenSerial = 1 }
        return tokenSerial
    }

    var responseHead: UnsafeMutablePointer<ResponseHead> { unsafe responseMemory }
    var seat: WorkerSeat { worker.seat }
    func nudge(stage: Int) { worker.fetches.nudge(handle, stage: stage) }

    func wake(stage: Int, after delay: Duration) {
        while stageTimers.count <= stage { stageTimers.append(nil) }
        let timer = stageTimers[stage] ?? StageTimer(stream: self, stage: stage)
        stageTimers[stage] = timer
        worker.loop.schedule(timer, after: delay.wholeNanoseconds)
    }

    func cancelWake(stage: Int) {
        if stage < stageTimers.count { stageTimers[stage]?.disarm() }
    }

    func reply(stage: Int, _ status: Status, body: String, _ edit: (inout ResponseHead) -> Void) {
        prepareReply(status, body: body)
        guard let memory = unsafe replyMemory else { return }
        replyBody = body
        replyStage = stage
        unsafe edit(&memory.pointee)
    }

    func handshake(stage: Int, isOver: Bool) {}
    func fail(stage: Int, _ fault: Fault) { pendingFault = fault }

    func send(stage: Int, isRequest: Bool, _ chunk: consuming ByteChunk) {
        if isRequest { sentRequest.append(chunk) } else { sentResponse.append(chunk) }
    }

    func sendEnd(stage: Int, isRequest: Bool) { if isRequest { sentRequestEnd = true } }

    func abandonBelow(stage: Int) throws(Fault) {
        try checkReplay(stage)
        restartStage = stage
    }

    func claimReplay() -> Bool {
        guard let pool, let retries = pool.limits.retries, !flags.contains(.claimedRetry) else { return true }
        guard pool.claimRetry(retries) else {
            unsafe factsMemory.pointee.limit = retries.reached
            return false
        }
        flags.insert(.claimedRetry)
        return true
    }

    private func checkReplay(_ stage: Int) throws(Fault) {
        guard responseTop > stage else { throw Fault(.filterFailed, "filter.replay_after_response") }
        // The time is for all tries together.
        guard timeoutAt == 0 || worker.loop.now < timeoutAt else {
            throw Fault(.upstreamTimeout, "upstream.response_timeout")
        }
    }

    func restartBelow(stage: Int, _ head: borrowing RequestHead, last: Bool) throws(Fault) {
        try checkReplay(stage)
        if unsafe restartMemory == nil {
            let memory = UnsafeMutablePointer<RequestHead>.allocate(capacity: 1)
            unsafe memory.initialize(to: RequestHead())
            unsafe restartMemory = memory
        }
        guard let memory = unsafe restartMemory else { return }
        unsafe memory.pointee.assign(from: head)
        restartStage = stage
        restartLast = last
    }

    func attach(_ cluster: ClusterID, _ attachment: Attachment) {
        attachedCluster = cluster
        self.attachment = attachment
    }

    /// Closes what is below the stage that asked, opens it again, and sends the head down anew.
    func restart() {
        guard let memory = unsafe restartMemory else { return }
        let stage = restartStage
        abandon()
        flags.remove(.abandoned)
        flags.insert(.replayed)
        let below = ~Self.bits(below: stage + 1)
        requestMask |= below & ~skipped
        responseMask |= below & ~skipped
        unsafe headMemory.pointee.assign(from: memory.pointee)
        guard openStages(from: stage + 1) else { return }
        walkRequestHead(from: stage + 1, last: restartLast)
    }

    /// Closes what is below the stage that asked, and lets the upstream go.
    func abandon() {
        let stage = restartStage
        // Where there is no answer yet, the stage has waited long enough for one.
        noteGivenUp(Fault(.upstreamTimeout, "upstream.given_up"))
        if unsafe upstream != nil, waitsForAnswer { pool?.stats.cluster.add(.rqPerTryTimeout) }
        if let lastEndpoint { triedEndpoints.append(lastEndpoint) }
        lastEndpoint = nil
        dropUpstream(nil)
        cancelFetches { $0 > stage }
        closeStages(from: stage + 1, .replay)
        for index in stageTimers.indices where index > stage { stageTimers[index]?.disarm() }
        // What the stage itself holds of the response goes too: it is that of the try that was given up.
        if !parks.isEmpty { parks.removeAll { $0.stage > stage || $0.stage == stage && !$0.isRequest } }
        let below = ~Self.bits(below: stage + 1)
        parkedRequest &= ~below
        parkedResponse &= ~(below | 1 << UInt64(stage))
        requestMask &= ~below
        responseMask &= ~below
        responseTop = Int.max
        attachedCluster = nil
        flags.subtract([
            .attached, .upstreamStarted, .upstreamRequestEnded, .reachedBottom, .bodySent, .responseStarted,
            .heldAtCluster,
        ])
        flags.insert(.abandoned)
        if let trailers = unsafe responseTrailersMemory { unsafe trailers.pointee.reset() }
        unsafe factsMemory.pointee.isLocalReply = false
        unsafe factsMemory.pointee.reason = ""
        unsafe responseMemory.pointee.reset()
    }
}
