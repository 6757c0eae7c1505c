internal import Engine
internal import FilterAPI

/// Responses go up: from the cluster, or from the stage that answered, to the codec.
extension HTTPStream {
    /// The upstream has sent a head with status 1xx.
    func interimHeadArrived() {
        lastActivity = worker.loop.now
        var mask = responseMask & table.interimHeadMask
        while mask != 0 {
            let stage = 63 - mask.leadingZeroBitCount
            mask &= ~(UInt64(1) << UInt64(stage))
            let entry = unsafe table.httpStages[stage]
            unsafe view.pointee.stage = stage
            unsafe view.pointee.isRequest = false
            unsafe calls.begin(entry.label, .interimHead)
            do throws(Fault) {
                unsafe try entry.type._interimHead(
                    entry.filter, block + entry.offset, &responseMemory.pointee, &view.pointee)
            } catch {
                return faulted(error, at: stage)
            }
            calls.end()
            if unsafe !view.pointee.asked.isNone, !settle(stage, .next) { return }
        }
        unsafe connection?.writeInterimHead(self)
        unsafe responseMemory.pointee.reset()
    }

    /// The upstream has sent its final head.
    func responseHeadArrived(last: Bool) {
        lastActivity = worker.loop.now
        flags.insert(.responseStarted)
        if last { unsafe factsMemory.pointee.upstreamEnd = worker.instant }
        unsafe factsMemory.pointee.upstreamProtocol = responseMemory.pointee.version
        walkResponseHead(below: table.httpCount, last: last)
    }

    /// The upstream has sent a piece of the body.
    func responseBodyArrived(_ chunk: consuming ByteChunk, last: Bool) {
        lastActivity = worker.loop.now
        if last { unsafe factsMemory.pointee.upstreamEnd = worker.instant }
        walkResponseBody(below: table.httpCount, chunk, last: last)
    }

    /// The upstream has sent trailers.
    func responseTrailersArrived() {
        unsafe factsMemory.pointee.upstreamEnd = worker.instant
        walkResponseTrailers(below: table.httpCount)
    }

    /// Shows the head to the stages above `end`, the lowest first.
    func walkResponseHead(below end: Int, last: Bool) {
        var mask = responseMask & table.responseHeadMask & Self.bits(below: end)
        while mask != 0 {
            let stage = 63 - mask.leadingZeroBitCount
            let bit = UInt64(1) << UInt64(stage)
            mask &= ~bit
            let entry = unsafe table.httpStages[stage]
            unsafe view.pointee.stage = stage
            unsafe view.pointee.isRequest = false
            let step: Step
            let began = unsafe beginCall(entry, .responseHead)
            do throws(Fault) {
                step = unsafe try entry.type._responseHead(
                    entry.filter, block + entry.offset, &responseMemory.pointee, last, &view.pointee)
            } catch {
                if excused(error, at: stage) { continue }
                return faulted(error, at: stage)
            }
            endCall(began, stage, .response)
            if unsafe !view.pointee.asked.isNone, !settle(stage, step) { return }
            switch step {
            case .next: break
            case .leave: responseMask &= ~bit
            case .hold: return parkResponseHead(stage, last: last)
            case .taken:
                let fault = Fault(.filterFailed, "filter.took_head")
                if excused(fault, at: stage) { continue }
                return faulted(fault, at: stage)
            }
            responseTop = stage
        }
        responseTop = -1
        flags.insert(.responseSent)
        guard let connection = unsafe connection else { return fetchedHead(last: last) }
        connection.writeResponseHead(self, last: last)
        if last { responseEnded() }
    }

    /// Shows a piece of the body to the stages above `end`, the lowest first.
    func walkResponseBody(below end: Int, _ chunk: consuming ByteChunk, last: Bool) {
        var chunk = chunk
        var mask = (responseMask & table.responseBodyMask | parkedResponse) & Self.bits(below: end)
        while mask != 0 {
            let stage = 63 - mask.leadingZeroBitCount
            let bit = UInt64(1) << UInt64(stage)
            mask &= ~bit
            if parkedResponse & bit != 0, !admitResponseBody(stage, &chunk, last: last) { return }
            touched |= bit & table.pluginMask
            let entry = unsafe table.httpStages[stage]
            unsafe view.pointee.stage = stage
            unsafe view.pointee.isRequest = false
            let step: Step
            let began = unsafe beginCall(entry, .responseBody)
            do throws(Fault) {
                step = unsafe try entry.type._responseBody(
                    entry.filter, block + entry.offset, &chunk, last, &view.pointee)
            } catch {
                return faulted(error, at: stage)
            }
            endCall(began, stage, .response)
            if unsafe !view.pointee.asked.isNone, !settle(stage, step) { return }
            switch step {
            case .next: if parkedResponse & bit != 0, !releaseResponse(stage) { return }
            case .leave:
                responseMask &= ~bit
                if parkedResponse & bit != 0, !releaseResponse(stage) { return }
            case .hold: return parkResponseBody(stage, chunk, last: last)
            case .taken:
                if !last { return }
                chunk = ByteChunk()
            }
        }
        unsafe factsMemory.pointee.responseBodyBytes += chunk.count
        guard let connection = unsafe connection else { return fetchedBody(chunk, last: last) }
        connection.writeResponseBody(self, &chunk, last: last)
        if last && flags.contains(.active) { responseEnded() }
    }

    /// Shows the trailers to the stages above `end`, the lowest first.
    func walkResponseTrailers(below end: Int) {
        guard let trailers = unsafe responseTrailersMemory else { return }
        var mask = (responseMask & table.responseTrailersMask | parkedResponse) & Self.bits(below: end)
        while mask != 0 {
            let stage = 63 - mask.leadingZeroBitCount
            let bit = UInt64(1) << UInt64(stage)
            mask &= ~bit
            if parkedResponse & bit != 0, !admitResponseTrailers(stage) { return }
            let entry = unsafe table.httpStages[stage]
            unsafe view.pointee.stage = stage
            unsafe view.pointee.isRequest = false
            let step: Step
            let began = unsafe beginCall(entry, .responseTrailers)
            do throws(Fault) {
                step = unsafe try entry.type._responseTrailers(
                    entry.filter, block + entry.offset, &trailers.pointee, &view.pointee)
            } catch {
                return faulted(error, at: stage)
            }
            endCall(began, stage, .response)
            if unsafe !view.pointee.asked.isNone, !settle(stage, step) { return }
            if step == .hold { return parkTrailers(stage, isRequest: false) }
            if parkedResponse & bit != 0, !releaseResponse(stage) { return }
        }
        // Nobody has asked for trailers of an answer to a filter.
        guard let connection = unsafe connection else { return fetchedBody(ByteChunk(), last: true) }
        connection.writeResponseTrailers(self)
        if flags.contains(.active) { responseEnded() }
    }

    /// Whether the response may not go on now: the client reads slowly, or a filter waits.
    var isResponseBlocked: Bool {
        if parkedResponse != 0, parks.contains(where: { !$0.isRequest && $0.token != 0 }) { return true }
        if flags.contains(.responseFull) { return true }
        guard let connection = unsafe connection else { return fetch?.isFull ?? false }
        return !connection.isShared && connection.isOutputFull
    }

    /// A mask of the stages above `end`.
    @inline(__always)
    static func bits(below end: Int) -> UInt64 { end > 63 ? UInt64.max : (UInt64(1) << UInt64(end)) &- 1 }
}
