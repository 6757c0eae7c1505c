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
        if last { flags.insert(.upstreamRequestEnded) }
        idleLimit = attachment.idleLimit(otherwise: Self.usualIdleLimit)
        startTimeout()
        armTimer()
        pool.connect(self)
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
        guard flags.contains(.upstreamRequestEnded), !flags.contains(.tunnel), timeoutAt == 0, nanoseconds > 0
        else { return }
        let (due, overflow) = worker.loop.now.addingReportingOverflow(nanoseconds)
        timeoutAt = overflow ? 0 : due
        armTimer()
    }

    // MARK: The pool answers

    /// A connection is ready: the request goes out.
    func connected(_ connection: ClientConnection) {
        unsafe upstream = connection
        flags.insert(.upstreamStarted)
        unsafe factsMemory.pointee.attempts += 1
        unsafe factsMemory.pointee.upstreamReady = worker.instant
        unsafe factsMemory.pointee.endpoint = connection.endpoint.name
        lastEndpoint = connection.endpoint
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
        let whole = !flags.contains(.bodySent) && flags.contains(.upstreamRequestEnded)
        if wasReused, harmless, whole, !flags.contains(.responseStarted), !flags.contains(.retriedFresh), let pool {
            flags.insert(.retriedFresh)
            flags.remove(.upstreamStarted)
            worker.counters.freshRetries.add()
            return pool.connect(self, fresh: true)
        }
        faulted(fault, at: table.httpCount)
    }

    /// Whether the request, which is about to be sent, will be tried again if the upstream has closed a kept connection:
    /// then nobody has to look before.
    var canBeSentAgain: Bool {
        headMethodIsIdempotent && flags.contains(.upstreamRequestEnded) && backlog.isEmpty
            && flags.isDisjoint(with: [.backlogTrailers, .bodySent, .retriedFresh])
    }

    private var headMethodIsIdempotent: Bool { unsafe headMemory.pointee.method.isIdempotent }

    /// The answer is complete, and the connection has been given back.
    func upstreamDone() { unsafe upstream = nil }

    /// Gives up what the stream has or waits for in its cluster.
    func dropUpstream(_ fault: Fault?) {
        if isWaiting { pool?.stopWaiting(self) }
        backlog.removeAll()
        flags.remove(.backlogTrailers)
        guard let connection = unsafe upstream else { return }
        unsafe upstream = nil
        connection.abandon(self)
    }
}
