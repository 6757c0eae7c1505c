internal import Engine
internal import FilterAPI

/// Faults, answers from here, time, and the end of a stream.
extension HTTPStream {
    /// Something went wrong at a stage, or below the last one (`stage` is their number then).
    ///
    /// Filters above may replay or answer; if none does, the fault becomes an answer, or cuts the client off where a
    /// response is on its way already.
    func faulted(_ fault: Fault, at stage: Int) {
        calls.end()
        guard flags.contains(.active) else { return }
        // Below a stage that has given up what is below it there is nothing.
        let stage = flags.contains(.abandoned) ? min(stage, restartStage + 1) : stage
        worker.count(fault)
        if stage < table.httpCount { notePlugin(fault, stage) }
        count(fault)
        note(fault)
        dropSent()
        dropUpstream(fault)
        if fetch != nil { return end(.fault(fault)) }
        if flags.contains(.responseSent) { return endCall(fault, at: stage) ? () : cut(fault) }
        if offer(fault, above: stage) { return }
        let verdict = Rescue.verdict(fault, duringRequest: !flags.contains(.requestEnded))
        unsafe factsMemory.pointee.flags.formUnion(verdict.flags)
        prepareReply(verdict.status, body: "")
        replyBody = ""
        if fault.kind == .overflow { sayOverloaded() }
        answer(from: min(stage, table.httpCount), text: verdict.text, outcome: GRPCReply.outcome(of: fault))
    }

    /// An answer to a gRPC call that cannot go on ends with a status that says so, where the client is sure to see it:
    /// over HTTP/2, or as a message of gRPC-Web. Anywhere else trailers may be passed over, and the rest be taken for all.
    ///
    /// - Returns: whether that could be done.
    private func endCall(_ fault: Fault, at stage: Int) -> Bool {
        guard let connection = unsafe connection, parkedResponse == 0, !flags.contains(.tunnel),
            unsafe headMemory.pointee.headers.isGRPC,
            unsafe GRPCReply.canEnd(responseMemory.pointee, isHTTP2: connection.isShared)
        else { return false }
        let trailers = unsafe trailers(isRequest: false)
        // Those of the upstream, or our own, could not be sent.
        guard unsafe trailers.pointee.count == 0 else { return false }
        let verdict = Rescue.verdict(fault, duringRequest: !flags.contains(.requestEnded))
        let outcome = GRPCReply.outcome(of: fault) ?? GRPCStatus(for: verdict.status)
        unsafe GRPCReply.fill(&trailers.pointee, outcome: outcome, text: "\(verdict.text)")
        discardHeld()
        flags.insert(.requestDropped)
        timeoutAt = 0
        lastActivity = worker.loop.now
        walkResponseTrailers(below: min(stage, table.httpCount))
        // A filter may hold them, and not for ever.
        if flags.contains(.active) { armTimer() }
        return true
    }

    /// Counts a fault where Envoy's users look for it.
    private func count(_ fault: Fault) {
        if fault.kind == .upstreamTimeout {
            pool?.stats.cluster.add(.rqTimeout)
            lastEndpoint?.stats.add(.rqTimeout)
        }
        let key: HTTPStat? =
            switch fault.kind {
            case .bodyTooLarge: .rqTooLarge
            case .requestTimeout: .rqTimeout
            case .idleTimeout: .rqIdleTimeout
            case .noRoute: .noRoute
            case .noCluster: .noCluster
            default: nil
            }
        if let key { unsafe connection?.listener.stats.http.add(key) }
    }

    /// Tells the client that a limit has stopped the request, and which one.
    private func sayOverloaded() {
        unsafe replyMemory?.pointee.headers.set(.xEnvoyOverloaded, "true")
        guard let limit = unsafe factsMemory.pointee.limit else { return }
        replyBody = "too many requests for this upstream: \(limit.text)\n"
    }

    /// Tells the stages above what happened.
    ///
    /// - Returns: whether one of them took it in hand.
    private func offer(_ fault: Fault, above end: Int) -> Bool {
        guard !flags.contains(.responseStarted) else { return false }
        var mask = opened == 0 && table.lifetimeMask != 0 ? 0 : table.faultMask & Self.bits(below: end)
        mask &= (opened | ~table.lifetimeMask) & ~skipped
        while mask != 0 {
            let stage = 63 - mask.leadingZeroBitCount
            mask &= ~(UInt64(1) << UInt64(stage))
            let entry = unsafe table.httpStages[stage]
            unsafe view.pointee.stage = stage
            unsafe view.pointee.isRequest = false
            unsafe calls.begin(entry.label, .faultBelow)
            do throws(Fault) {
                unsafe try entry.type._faultBelow(entry.filter, block + entry.offset, fault, &view.pointee)
            } catch {
                calls.end()
                note(error)
                return false
            }
            calls.end()
            let asked = unsafe view.pointee.asked
            if asked.isNone { continue }
            _ = settle(stage, .next)
            if !asked.isDisjoint(with: [.reply, .restart, .abandon, .fail]) { return true }
        }
        return false
    }

    private func note(_ fault: Fault) {
        unsafe factsMemory.pointee.reason = fault.reason
        if flags.contains(.responseSent) {
            let verdict = Rescue.verdict(fault, duringRequest: !flags.contains(.requestEnded))
            unsafe factsMemory.pointee.flags.formUnion(verdict.flags)
        }
    }

    /// Makes the head of an answer from here.
    func prepareReply(_ status: Status, body: String) {
        if unsafe replyMemory == nil {
            let memory = UnsafeMutablePointer<ResponseHead>.allocate(capacity: 1)
            unsafe memory.initialize(to: ResponseHead())
            unsafe replyMemory = memory
        }
        guard let memory = unsafe replyMemory else { return }
        unsafe memory.pointee.reset()
        unsafe memory.pointee.status = status
    }

    /// Sends the prepared answer up from a stage; what is below is cancelled.
    ///
    /// - Parameters:
    ///   - stage: the stage that answers.
    ///   - text: the body, where the prepared answer has none.
    ///   - outcome: what a gRPC client is told; nil for what the status means.
    ///   - donated: in place of both bodies.
    func answer(
        from stage: Int, text: StaticString = "", outcome: GRPCStatus? = nil,
        donated: consuming ByteChunk = ByteChunk()
    ) {
        guard flags.contains(.active), let reply = unsafe replyMemory else { return }
        if flags.contains(.responseSent) { return cut(Fault(.filterFailed, "filter.second_response")) }
        dropSent()
        dropUpstream(nil)
        discardHeld()
        flags.formUnion([.requestDropped, .responseStarted])
        flags.subtract([.abandoned, .heldAtCluster])
        unsafe replyMemory = responseMemory
        unsafe responseMemory = reply
        unsafe factsMemory.pointee.isLocalReply = true
        timeoutAt = 0
        if unsafe headMemory.pointee.headers.isGRPC, unsafe GRPCReply.isWanted(reply.pointee) {
            unsafe GRPCReply.shape(
                &reply.pointee, outcome: outcome, text: replyBody.isEmpty ? "\(text)" : replyBody)
            replyBody = ""
            return walkResponseHead(below: stage, last: true)
        }
        let count =
            donated.isEmpty ? replyBody.isEmpty ? text.utf8CodeUnitCount : replyBody.utf8.count : donated.count
        if count > 0 {
            if unsafe !reply.pointee.headers.contains(.contentType) {
                unsafe reply.pointee.headers.add(.contentType, "text/plain; charset=utf-8")
            }
            unsafe reply.pointee.headers.set(.contentLength, count)
        }
        unsafe reply.pointee.bodyLength = count > 0 ? .known(count) : .none
        let body = replyBody
        replyBody = ""
        walkResponseHead(below: stage, last: count == 0)
        guard count > 0, flags.contains(.active) else { return }
        if !donated.isEmpty { return walkResponseBody(below: stage, donated, last: true) }
        let chunk = body.isEmpty ? ByteChunk(text) : unsafe worker.pages.chunk(copying: body.utf8Span.span.bytes)
        walkResponseBody(below: stage, chunk, last: true)
    }

    /// The response cannot be finished: the client must see that it is not complete.
    private func cut(_ fault: Fault) {
        unsafe connection?.resetStream(self, fault)
        end(.fault(fault))
    }

    /// The client has gone, or has given the stream up.
    func clientGone(_ fault: Fault) {
        guard flags.contains(.active) else { return }
        worker.count(fault)
        unsafe factsMemory.pointee.reason = fault.reason
        unsafe factsMemory.pointee.flags.insert(.downstreamConnectionTermination)
        dropUpstream(fault)
        end(.fault(fault))
    }

    /// The process ends under the stream.
    func stopped() {
        guard flags.contains(.active) else { return }
        let fault = Fault(.draining, "sluice.stopped")
        worker.count(fault)
        unsafe factsMemory.pointee.reason = fault.reason
        unsafe factsMemory.pointee.flags.insert(.localReset)
        dropUpstream(fault)
        end(.fault(fault))
    }

    /// The last byte of the response has been written.
    func responseEnded() {
        flags.insert(.responseEnded)
        unsafe factsMemory.pointee.responseEnd = worker.instant
        end(.complete)
    }

    /// Ends the stream: closes its stages, writes its log line, and lets the connection go on.
    func end(_ ending: Ending) {
        guard flags.contains(.active) else { return }
        flags.remove(.active)
        dropUpstream(nil)
        if flags.contains(.claimedRetry) { pool?.quota.retries.give() }
        discardHeld()
        cancelFetches { _ in true }
        closeStages(from: 0, ending)
        recordTimes()
        guard let connection = unsafe connection else { return releaseFetch(ending) }
        worker.streamEnded(self, on: connection)
        connection.streamEnded(self)
        release()
    }

    /// Nobody was to be told but the filter whose own request this was.
    private func releaseFetch(_ ending: Ending) {
        let fetch = fetch
        self.fetch = nil
        release()
        if case .fault(let fault) = ending { fetch?.streamFailed(fault) }
    }

    /// Closes opened stages from `first` down, the lowest first.
    func closeStages(from first: Int, _ ending: Ending) {
        var mask = opened & (UInt64.max << UInt64(first))
        opened &= ~mask
        while mask != 0 {
            let stage = 63 - mask.leadingZeroBitCount
            mask &= ~(UInt64(1) << UInt64(stage))
            let entry = unsafe table.httpStages[stage]
            unsafe view.pointee.stage = stage
            let began = unsafe beginCall(entry, .close)
            unsafe entry.type._close(entry.filter, block + entry.offset, ending, &view.pointee)
            endCall(began, stage, .response)
        }
        unsafe view.pointee.asked = .none
    }

    /// Closes one stage, where it is open.
    func closeStage(_ stage: Int, _ ending: Ending) {
        let others = opened & ~(UInt64(1) << UInt64(stage))
        opened &= ~others
        closeStages(from: stage, ending)
        opened = others
    }

    func discardHeld() {
        guard parkedRequest | parkedResponse != 0 else { return }
        for park in parks { endTime(park.since, park.stage, park.isRequest ? .request : .response) }
        parks.removeAll()
        parkedRequest = 0
        parkedResponse = 0
    }

    // MARK: Time

    /// Sees to it that the timer fires no later than the next limit. A timer that fires early looks again, so that
    /// most requests neither arm nor cancel one.
    func armTimer() {
        let now = worker.loop.now
        var due = idleLimit > 0 ? lastActivity + idleLimit : .max
        if timeoutAt > 0 { due = min(due, timeoutAt) }
        guard due != .max else { return }
        if isArmed && timerDue <= due { return }
        timerDue = due
        worker.loop.schedule(self, after: due > now ? due - now : 0)
    }

    func checkTime() {
        guard flags.contains(.active) else { return }
        let now = worker.loop.now
        if timeoutAt > 0 && now >= timeoutAt {
            let fault =
                flags.contains(.limited)
                ? Fault(.upstreamTimeout, "stream.deadline", origin: .client)
                : Fault(.upstreamTimeout, "upstream.response_timeout", replay: .ifIdempotent)
            return faulted(fault, at: table.httpCount)
        }
        if idleLimit > 0 && now >= lastActivity + idleLimit {
            return faulted(Fault(.idleTimeout, "stream.idle_timeout"), at: table.httpCount)
        }
        armTimer()
    }

    func wakeStage(_ stage: Int) {
        guard flags.contains(.active),
            table.lifetimeMask & (1 << UInt64(stage)) == 0 || opened & (1 << UInt64(stage)) != 0
        else { return }
        let entry = unsafe table.httpStages[stage]
        unsafe view.pointee.stage = stage
        let began = unsafe beginCall(entry, .wake)
        do throws(Fault) {
            unsafe try entry.type._wake(entry.filter, block + entry.offset, &view.pointee)
        } catch {
            if excused(error, at: stage) { return kick() }
            return faulted(error, at: stage)
        }
        endCall(began, stage, .request)
        if unsafe !view.pointee.asked.isNone { _ = settle(stage, .next) }
        if flags.contains(.active) { kick() }
    }
}
