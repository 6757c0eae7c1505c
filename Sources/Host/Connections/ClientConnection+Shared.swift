internal import Engine
internal import FilterAPI

/// A connection that many streams share, over HTTP/2.
///
/// SAFETY: streams on the list give the connection up before they end.
extension ClientConnection {
    /// Whether it takes one more stream. One that is about to close does not, even if it could again.
    var hasRoom: Bool { isShared && !isStale && !flags.contains(.closeAfterOutput) && isReusable }

    func link(_ stream: HTTPStream) {
        unsafe stream.nextOnUpstream = firstStream
        unsafe stream.previousOnUpstream = nil
        unsafe firstStream?.previousOnUpstream = stream
        unsafe firstStream = stream
        streamCount += 1
        stream.receivedBefore = spokenBytes
        unsafe stream.upstreamState.initializeMemory(as: UInt8.self, repeating: 0, count: HTTPStream.upstreamStateSize)
    }

    private func unlink(_ stream: HTTPStream) {
        let next = unsafe stream.nextOnUpstream
        let previous = unsafe stream.previousOnUpstream
        if let previous { unsafe previous.nextOnUpstream = next } else { unsafe firstStream = next }
        if let next { unsafe next.previousOnUpstream = previous }
        unsafe stream.nextOnUpstream = nil
        unsafe stream.previousOnUpstream = nil
        streamCount -= 1
        if stream.owedResponse > 0 { debts -= 1 }
        stream.owedResponse = 0
        stream.flags.remove(.requestFull)
    }

    // MARK: Receiving

    func decodeShared() {
        guard !isDecoding, !flags.contains(.closed) else { return }
        isDecoding = true
        defer { isDecoding = false }
        while !flags.contains(.closed) {
            if input.isEmpty, let next = more.popFirst() { input = next }
            do throws(Fault) {
                if try !stepShared(ended: inputEnded && more.isEmpty) { break }
            } catch {
                return fail(error)
            }
        }
        guard !flags.contains(.closed) else { return }
        scheduleFlush()
        settleShared()
    }

    /// - Returns: whether to go on.
    private func stepShared(ended: Bool) throws(Fault) -> Bool {
        switch try nextEvent(ended: ended) {
        case .needMore: return !more.isEmpty
        case .interimDropped: break
        case .interimHead(let handle): if let stream = found(handle) { stream.interimHeadArrived() }
        case .responseHead(let handle, let last): if let stream = found(handle) { headArrived(stream, last: last) }
        case .responseBody(let handle, let chunk, let last):
            guard let stream = found(handle) else { break }
            let count = chunk.count
            if last { detachShared(stream) }
            stream.responseBodyArrived(chunk, last: last)
            if !last, count > 0 { credit(count, handle) }
        case .responseTrailers(let handle):
            guard let stream = found(handle) else { break }
            trailersCame(stream)
            detachShared(stream)
            stream.responseTrailersArrived()
        case .reset(let handle, let fault): if let stream = found(handle) { lost(stream, fault) }
        case .close: throw Fault(.upstreamProtocol, "upstream.out_of_step")
        }
        return true
    }

    /// The stream of a handle, as long as this connection carries it.
    private func found(_ handle: StreamHandle) -> HTTPStream? {
        guard let stream = worker.streams.find(handle), unsafe stream.upstream === self else { return nil }
        return stream
    }

    private func headArrived(_ stream: HTTPStream, last: Bool) {
        unsafe stream.factsMemory.pointee.upstreamFirstByte = worker.instant
        answered(stream, last: last)
        if last { detachShared(stream) }
        if unsafe stream.responseMemory.pointee.status == 101 { stream.flags.insert(.tunnel) }
        stream.responseHeadArrived(last: last)
    }

    /// The answer is complete: stream and connection part.
    private func detachShared(_ stream: HTTPStream) {
        leave(stream)
        unsafe pool.stats.requestTime.record(worker.loop.now - stream.factsMemory.pointee.upstreamReady.nanoseconds)
        stream.upstreamDone()
    }

    private func leave(_ stream: HTTPStream) {
        unlink(stream)
        requestLeft()
        unsafe codec._streamClosed(block, stream.handle, &link.pointee)
    }

    /// The upstream has given up one stream.
    private func lost(_ stream: HTTPStream, _ fault: Fault) {
        leave(stream)
        pool.stats.cluster.add(.rqReceivedReset)
        if !stream.flags.contains(.responseStarted) { endpoint.stats.add(.rqError) }
        // What the upstream refused it has not looked at: another connection may take it.
        let isUntouched = fault.replay == .always
        stream.upstreamFailed(fault, wasReused: isUntouched, sentNothing: isUntouched)
    }

    // MARK: Credit

    private func credit(_ count: Int, _ handle: StreamHandle) {
        guard let stream = found(handle) else { return }
        if stream.isResponseBlocked {
            if stream.owedResponse == 0 { debts += 1 }
            stream.owedResponse += count
        } else {
            unsafe codec._consumed(block, count, handle, &link.pointee)
        }
    }

    func payDebts() {
        var next = unsafe firstStream
        while debts > 0, let stream = next {
            next = unsafe stream.nextOnUpstream
            guard stream.owedResponse > 0, !stream.isResponseBlocked else { continue }
            unsafe codec._consumed(block, stream.owedResponse, stream.handle, &link.pointee)
            stream.owedResponse = 0
            debts -= 1
        }
        scheduleFlush()
    }

    func setFull(_ handle: StreamHandle, _ isFull: Bool) {
        guard let stream = worker.streams.find(handle) else { return }
        if isFull {
            pool.stats.cluster.add(.pausedReading)
            stream.flags.insert(.requestFull)
        } else {
            pool.stats.cluster.add(.resumedReading)
            stream.flags.remove(.requestFull)
            unsafe stream.connection?.resumeReading()
        }
    }

    // MARK: Parting

    func abandonShared(_ stream: HTTPStream) {
        if stream.waitsForAnswer { endpoint.failedToAnswer(in: stream.waitedForAnswer, at: worker.loop.now) }
        pool.stats.cluster.add(.rqSentReset)
        unsafe codec._reset(block, stream.handle, &link.pointee)
        leave(stream)
        scheduleFlush()
        // Whoever gives a stream up may be in the middle of things.
        resumeReading()
    }

    /// Takes streams that wait, goes to those that are kept, or ends.
    private func settleShared() {
        if !isReusable, streamCount == 0 {
            flags.insert(.closeAfterOutput)
            return scheduleFlush()
        }
        pool.settle(self)
    }

    func failShared(_ fault: Fault) {
        if streamCount > 0 { flags.insert(.endsBusy) }
        if fault.kind == .upstreamProtocol { pool.stats.cluster.add(.cxProtocolError) }
        flushLastWords()
        let streams = takeStreams()
        close()
        for stream in streams where stream.flags.contains(.active) {
            pool.stats.cluster.add(.rqReceivedReset)
            if !stream.flags.contains(.responseStarted) { endpoint.stats.add(.rqError) }
            let reused = requests > 1 && spokenBytes == stream.receivedBefore
            if !reused, stream.waitsForAnswer { endpoint.failedToAnswer(in: pool.connectLimit, at: worker.loop.now) }
            stream.upstreamFailed(fault, wasReused: reused, sentNothing: fault.replay == .always)
        }
        failWaiters(fault)
    }

    /// Parts with all streams; none of them may point at a connection that is gone.
    func takeStreams() -> [HTTPStream] {
        var streams: [HTTPStream] = []
        while let stream = unsafe firstStream {
            leave(stream)
            streams.append(stream)
        }
        return streams
    }

    func codecTimerFired() {
        guard !flags.contains(.closed) else { return }
        do throws(Fault) {
            unsafe try codec._timerFired(block, &link.pointee)
            scheduleFlush()
        } catch {
            fail(error)
        }
    }
}
