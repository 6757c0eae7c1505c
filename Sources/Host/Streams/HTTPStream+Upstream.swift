internal import Engine
internal import FilterAPI

/// The cluster's side of a stream: finding a connection, sending the request, giving it up.
extension HTTPStream {
    /// Five minutes, where the route says nothing else.
    static let usualIdleLimit: Nanoseconds = 300_000_000_000

    // MARK: The request comes to the bottom of the chain

    func requestHeadAtBottom(last: Bool) {
        flags.insert(.reachedBottom)
        guard let id = attachedCluster else {
            // A terminal that attaches nothing answers by itself, now or later; it has as long as an upstream has.
            return
        }
        guard let pool = worker.pool(id) else {
            return faulted(Fault(.noCluster, "chain.unknown_cluster"), at: table.httpCount)
        }
        self.pool = pool
        unsafe factsMemory.pointee.cluster = pool.name
        if last { flags.insert(.upstreamRequestEnded) }
        idleLimit = attachment.idleLimit(otherwise: Self.usualIdleLimit)
        startTimeout()
        armTimer()
        if requestMask & table.clusterMask != 0, !showCluster(to: 0) { return }
        pool.connect(self)
    }

    /// Shows the cluster that was attached to the stages from `first` down.
    ///
    /// - Returns: whether the request may go there now.
    private func showCluster(to first: Int) -> Bool {
        var mask = requestMask & table.clusterMask & ~Self.bits(below: first)
        while mask != 0 {
            let stage = mask.trailingZeroBitCount
            mask &= mask &- 1
            let entry = unsafe table.httpStages[stage]
            unsafe view.pointee.stage = stage
            unsafe view.pointee.isRequest = true
            let step: Step
            let began = unsafe beginCall(entry, .clusterAttached)
            do throws(Fault) {
                step = unsafe try entry.type._clusterAttached(entry.filter, block + entry.offset, &view.pointee)
            } catch {
                faulted(error, at: stage)
                return false
            }
            endCall(began, stage, .request)
            if unsafe !view.pointee.asked.isNone, !settle(stage, step) { return false }
            if step == .hold {
                holdAtCluster(stage)
                return false
            }
        }
        return true
    }

    private func holdAtCluster(_ stage: Int) {
        clusterStage = stage
        clusterToken = pendingToken
        clusterHeldAt = table.isTimed ? TickClock.ticks : 0
        pendingToken = 0
        flags.insert(.heldAtCluster)
        guard clusterToken == 0 else { return }
        faulted(Fault(.filterStalled, "filter.held_end_without_token"), at: stage)
    }

    /// The stage that held the request before its cluster lets it go on.
    func releaseAtCluster() {
        flags.remove(.heldAtCluster)
        if clusterHeldAt > 0 { endTime(clusterHeldAt, clusterStage, .request) }
        guard let pool, clusterStage == 63 || showCluster(to: clusterStage + 1) else { return }
        pool.connect(self)
    }

    /// Whether stages want to know which endpoint was picked.
    var asksForEndpoints: Bool { requestMask & table.endpointMask != 0 }

    /// Notes the endpoint that is being tried.
    func take(_ endpoint: Endpoint) {
        lastEndpoint = endpoint
        unsafe factsMemory.pointee.endpoint = endpoint.name
    }

    /// Shows an endpoint that was picked to the stages that want to know.
    ///
    /// - Returns: whether all of them accept it.
    /// - Throws: what one of them throws in place of an answer.
    func accepts(_ endpoint: Endpoint) throws(Fault) -> Bool {
        var mask = requestMask & table.endpointMask
        while mask != 0 {
            let stage = mask.trailingZeroBitCount
            mask &= mask &- 1
            let entry = unsafe table.httpStages[stage]
            unsafe view.pointee.stage = stage
            unsafe view.pointee.isRequest = true
            unsafe calls.begin(entry.label, .endpointPicked)
            defer { calls.end() }
            guard unsafe try entry.type._endpointPicked(entry.filter, block + entry.offset, &view.pointee) else {
                return false
            }
        }
        return true
    }

    func requestBodyAtBottom(_ chunk: consuming ByteChunk, last: Bool) {
        if attachedCluster == nil { return }
        if last {
            flags.insert(.upstreamRequestEnded)
            startTimeout()
        }
        guard let upstream = unsafe upstream, flags.contains(.upstreamStarted) else {
            backlog.append(chunk)
            return
        }
        if chunk.count > 0 { flags.insert(.bodySent) }
        var chunk = chunk
        upstream.writeBody(self, &chunk, last: last)
    }

    func requestTrailersAtBottom() {
        if attachedCluster == nil { return }
        flags.insert(.upstreamRequestEnded)
        startTimeout()
        guard let upstream = unsafe upstream, flags.contains(.upstreamStarted) else {
            flags.insert(.backlogTrailers)
            return
        }
        flags.insert(.bodySent)
        upstream.writeTrailers(self)
    }

    /// The time for the whole answer runs from the end of the request.
    private func startTimeout() {
        let nanoseconds = attachment.timeoutNanoseconds
        // A tunnel lives as long as something moves in it.
        guard flags.contains(.upstreamRequestEnded), !flags.contains(.tunnel), nanoseconds > 0 else { return }
        // A replay does not begin a new time, and a filter may have set an earlier one.
        let (due, overflow) = worker.loop.now.addingReportingOverflow(nanoseconds)
        guard !overflow, timeoutAt == 0 || due < timeoutAt else { return }
        timeoutAt = due
        flags.remove(.limited)
        armTimer()
    }

    // MARK: The pool answers

    /// A connection is ready: the request goes out.
    func connected(_ connection: ClientConnection) {
        unsafe upstream = connection
        flags.insert(.upstreamStarted)
        unsafe factsMemory.pointee.attempts += 1
        unsafe factsMemory.pointee.upstreamReady = worker.instant
        unsafe factsMemory.pointee.upstream = connection.facts
        if connection.endpoint !== lastEndpoint { take(connection.endpoint) }
        awaitsOutcome = connection.endpoint.outcomes != nil
        let whole = flags.contains(.upstreamRequestEnded) && backlog.isEmpty && !flags.contains(.backlogTrailers)
        guard connection.writeHead(self, last: whole), !whole else { return }
        sendBacklog(connection)
    }

    private func sendBacklog(_ connection: ClientConnection) {
        let ended = flags.contains(.upstreamRequestEnded) && !flags.contains(.backlogTrailers)
        while let next = backlog.popFirst() {
            var chunk = next
            flags.insert(.bodySent)
            connection.writeBody(self, &chunk, last: ended && backlog.isEmpty)
            guard unsafe upstream === connection else { return }
        }
        if flags.contains(.backlogTrailers) {
            flags.remove(.backlogTrailers)
            flags.insert(.bodySent)
            connection.writeTrailers(self)
        }
        unsafe self.connection?.resumeReading()
    }

    /// No connection can be had.
    func connectFailed(_ fault: Fault) { faulted(fault, at: table.httpCount) }

    /// The connection failed under the stream.
    ///
    /// A connection that was kept alive may be closed by the upstream at the very moment that it is used again. If
    /// nothing of an answer came, and nothing was sent or sending twice does no harm, the request is tried once on a
    /// fresh connection; clients never see the race.
    func upstreamFailed(_ fault: Fault, wasReused: Bool, sentNothing: Bool) {
        unsafe upstream = nil
        let harmless = sentNothing || headMethodIsIdempotent
        // What comes later of a request of which only the head was sent goes to whoever gets it.
        let whole = !flags.contains(.bodySent) && (sentNothing || flags.contains(.upstreamRequestEnded))
        if wasReused, harmless, whole, !flags.contains(.responseStarted), !flags.contains(.retriedFresh), let pool {
            flags.insert(.retriedFresh)
            flags.remove(.upstreamStarted)
            pool.stats.cluster.add(.rqFreshRetry)
            awaitsOutcome = false
            return pool.connect(self, fresh: true)
        }
        if fault.origin == .upstream { noteOutcome(.localFailure) }
        faulted(fault, at: table.httpCount)
    }

    /// Whether the request, which is about to be sent, will be tried again if the upstream has closed a kept connection:
    /// then nobody has to look before.
    var canBeSentAgain: Bool {
        headMethodIsIdempotent && flags.contains(.upstreamRequestEnded) && backlog.isEmpty
            && flags.isDisjoint(with: [.backlogTrailers, .bodySent, .retriedFresh])
    }

    private var headMethodIsIdempotent: Bool { unsafe headMemory.pointee.method.isIdempotent }

    /// Nothing of an answer to the present try has come.
    var waitsForAnswer: Bool {
        let facts = unsafe factsMemory
        return unsafe facts.pointee.upstreamFirstByte <= facts.pointee.upstreamReady
    }

    /// How long the upstream has had to begin its answer: since it had a connection, or all of the request.
    var waitedForAnswer: Nanoseconds {
        let facts = unsafe factsMemory
        let since = unsafe max(facts.pointee.upstreamReady, facts.pointee.upstreamRequestEnd)
        return worker.loop.now - min(worker.loop.now, since.nanoseconds)
    }

    /// The answer is complete, and the connection has been given back.
    func upstreamDone() {
        unsafe upstream = nil
        noteOutcome(.success)
        leaveCluster()
    }

    /// Is none of the cluster's requests any more.
    private func leaveCluster() {
        guard flags.contains(.counted), let pool else { return }
        pool.quota.requests.give()
        if flags.contains(.countedRetry) { pool.quota.retries.give() }
        flags.subtract([.counted, .countedRetry])
    }

    /// Gives up what the stream has or waits for in its cluster.
    func dropUpstream(_ fault: Fault?) {
        noteGivenUp(fault)
        flags.remove(.heldAtCluster)
        if isWaiting { pool?.stopWaiting(self) }
        backlog.removeAll()
        flags.remove(.backlogTrailers)
        leaveCluster()
        guard let connection = unsafe upstream else { return }
        unsafe upstream = nil
        connection.abandon(self, isForAnother: fault == nil && flags.contains(.active))
    }
}
