internal import Engine
internal import FilterAPI

/// Requests go down: from the codec, stage by stage, to the cluster that the terminal attached.
extension HTTPStream {
    /// The codec has read a head.
    func requestHeadArrived(last: Bool) {
        flags.insert(.requestStarted)
        if last { requestEnded() }
        if table.pluginMask != 0 { bypassPlugins() }
        requestMask = ~skipped
        responseMask = ~skipped
        idleLimit = Self.usualIdleLimit
        armTimer()
        guard openStages(from: 0) else { return }
        walkRequestHead(from: 0, last: last)
    }

    /// The codec has read a piece of the body.
    func requestBodyArrived(_ chunk: consuming ByteChunk, last: Bool) {
        lastActivity = worker.loop.now
        if last { requestEnded() }
        if flags.contains(.requestDropped) { return }
        walkRequestBody(from: 0, chunk, last: last)
    }

    /// The codec has read trailers.
    func requestTrailersArrived() {
        requestEnded()
        if flags.contains(.requestDropped) { return }
        walkRequestTrailers(from: 0)
    }

    private func requestEnded() {
        flags.insert(.requestEnded)
        unsafe factsMemory.pointee.requestEnd = worker.instant
    }

    /// Opens the stages that keep something per stream, from the top.
    ///
    /// - Returns: false where one of them failed; the stream is answered then.
    func openStages(from first: Int) -> Bool {
        var mask = table.lifetimeMask & ~skipped & (UInt64.max << UInt64(first))
        while mask != 0 {
            let stage = mask.trailingZeroBitCount
            let bit = UInt64(1) << UInt64(stage)
            mask &= mask &- 1
            let entry = unsafe table.httpStages[stage]
            unsafe view.pointee.stage = stage
            unsafe view.pointee.isRequest = true
            let began = unsafe beginCall(entry, .open)
            do throws(Fault) {
                if unsafe try entry.type._open(entry.filter, block + entry.offset, &view.pointee) {
                    opened |= bit
                } else {
                    requestMask &= ~bit
                    responseMask &= ~bit
                }
            } catch {
                requestMask &= ~bit
                responseMask &= ~bit
                if excused(error, at: stage) { continue }
                faulted(error, at: stage)
                return false
            }
            endCall(began, stage, .request)
            if unsafe !view.pointee.asked.isNone, !settle(stage, .next) { return false }
        }
        return true
    }

    /// Shows the head to the stages from `first` down.
    func walkRequestHead(from first: Int, last: Bool) {
        var mask = first > 63 ? 0 : requestMask & table.requestHeadMask & (UInt64.max << UInt64(first))
        while mask != 0 {
            let stage = mask.trailingZeroBitCount
            mask &= mask &- 1
            let entry = unsafe table.httpStages[stage]
            unsafe view.pointee.stage = stage
            unsafe view.pointee.isRequest = true
            let step: Step
            let began = unsafe beginCall(entry, .requestHead)
            do throws(Fault) {
                step = unsafe try entry.type._requestHead(
                    entry.filter, block + entry.offset, &headMemory.pointee, last, &view.pointee)
            } catch {
                if excused(error, at: stage) { continue }
                return faulted(error, at: stage)
            }
            endCall(began, stage, .request)
            if unsafe !view.pointee.asked.isNone, !settle(stage, step) { return }
            switch step {
            case .next: break
            case .leave: requestMask &= ~(UInt64(1) << UInt64(stage))
            case .hold: return parkRequestHead(stage, last: last)
            case .taken:
                let fault = Fault(.filterFailed, "filter.took_head")
                if excused(fault, at: stage) { continue }
                return faulted(fault, at: stage)
            }
        }
        requestHeadAtBottom(last: last)
    }

    /// Shows a piece of the body to the stages from `first` down.
    func walkRequestBody(from first: Int, _ chunk: consuming ByteChunk, last: Bool) {
        var chunk = chunk
        var mask =
            first > 63 ? 0 : (requestMask & table.requestBodyMask | parkedRequest) & (UInt64.max << UInt64(first))
        while mask != 0 {
            let stage = mask.trailingZeroBitCount
            let bit = UInt64(1) << UInt64(stage)
            mask &= mask &- 1
            if parkedRequest & bit != 0, !admitRequestBody(stage, &chunk, last: last) { return }
            touched |= bit & table.pluginMask
            let entry = unsafe table.httpStages[stage]
            unsafe view.pointee.stage = stage
            unsafe view.pointee.isRequest = true
            let step: Step
            let began = unsafe beginCall(entry, .requestBody)
            do throws(Fault) {
                step = unsafe try entry.type._requestBody(
                    entry.filter, block + entry.offset, &chunk, last, &view.pointee)
            } catch {
                return faulted(error, at: stage)
            }
            endCall(began, stage, .request)
            if unsafe !view.pointee.asked.isNone, !settle(stage, step) { return }
            switch step {
            case .next: if parkedRequest & bit != 0, !releaseRequest(stage) { return }
            case .leave:
                requestMask &= ~bit
                if parkedRequest & bit != 0, !releaseRequest(stage) { return }
            case .hold: return parkRequestBody(stage, chunk, last: last)
            case .taken:
                if !last { return }
                chunk = ByteChunk()
            }
        }
        requestBodyAtBottom(chunk, last: last)
    }

    /// Shows the trailers to the stages from `first` down.
    func walkRequestTrailers(from first: Int) {
        guard let trailers = unsafe requestTrailersMemory else { return }
        var mask =
            first > 63 ? 0 : (requestMask & table.requestTrailersMask | parkedRequest) & (UInt64.max << UInt64(first))
        while mask != 0 {
            let stage = mask.trailingZeroBitCount
            let bit = UInt64(1) << UInt64(stage)
            mask &= mask &- 1
            if parkedRequest & bit != 0, !admitRequestTrailers(stage) { return }
            let entry = unsafe table.httpStages[stage]
            unsafe view.pointee.stage = stage
            unsafe view.pointee.isRequest = true
            let step: Step
            let began = unsafe beginCall(entry, .requestTrailers)
            do throws(Fault) {
                step = unsafe try entry.type._requestTrailers(
                    entry.filter, block + entry.offset, &trailers.pointee, &view.pointee)
            } catch {
                return faulted(error, at: stage)
            }
            endCall(began, stage, .request)
            if unsafe !view.pointee.asked.isNone, !settle(stage, step) { return }
            if step == .hold { return parkTrailers(stage, isRequest: true) }
            if parkedRequest & bit != 0, !releaseRequest(stage) { return }
        }
        requestTrailersAtBottom()
    }

    /// Does what a filter asked for during a call that has just returned.
    ///
    /// - Returns: whether the event that was being shown goes on.
    func settle(_ stage: Int, _ step: Step) -> Bool {
        let asked = unsafe view.pointee.asked
        unsafe view.pointee.asked = .none
        // A token that nothing is held with holds nothing later on.
        if step != .hold { pendingToken = 0 }
        if asked.contains(.fail), let fault = pendingFault {
            pendingFault = nil
            faulted(fault, at: stage)
            return false
        }
        if asked.contains(.reply) {
            answer(from: replyStage)
            return false
        }
        if asked.contains(.restart) {
            restart()
        } else if asked.contains(.abandon) {
            abandon()
        }
        if asked.contains(.send) { flushSent(stage) }
        // What was being shown belongs to the try that was given up.
        return flags.contains(.active) && asked.isDisjoint(with: [.restart, .abandon])
    }

    /// Lets go on what a filter has sent, in order.
    private func flushSent(_ stage: Int) {
        let round = sentRound
        let endsRequest = sentRequestEnd
        sentRequestEnd = false
        var flush = sentRequest.beginFlush()
        while let chunk = sentRequest.next(&flush) {
            walkRequestBody(from: stage + 1, chunk, last: false)
            guard flags.contains(.active), round == sentRound else { return }
        }
        if endsRequest { walkRequestBody(from: stage + 1, ByteChunk(), last: true) }
        guard flags.contains(.active), round == sentRound else { return }
        flush = sentResponse.beginFlush()
        while let chunk = sentResponse.next(&flush) {
            walkResponseBody(below: stage, chunk, last: false)
            guard flags.contains(.active), round == sentRound else { return }
        }
    }

    /// Drops what filters have sent and what has not gone on: it belongs to something that has failed, or that was
    /// answered.
    func dropSent() {
        sentRound &+= 1
        sentRequest.removeAll()
        sentResponse.removeAll()
        sentRequestEnd = false
        unsafe view.pointee.asked = .none
    }
}
