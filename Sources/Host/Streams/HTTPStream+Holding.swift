internal import FilterAPI

/// Holding and letting go: what filters keep back is kept here, within limits, and goes on in order.
extension HTTPStream {
    /// The most bytes that may be held in one direction of a stream.
    private var holdLimit: Int { unsafe connection?.listener.plan.settings.holdLimit.bytes ?? 0 }

    private func park(_ stage: Int, isRequest: Bool) -> Park {
        if let park = parks.first(where: { $0.stage == stage && $0.isRequest == isRequest }) { return park }
        let park = Park(stage: stage, isRequest: isRequest, since: beginTime())
        parks.append(park)
        let bit = UInt64(1) << UInt64(stage)
        if isRequest { parkedRequest |= bit } else { parkedResponse |= bit }
        return park
    }

    private func found(_ stage: Int, isRequest: Bool) -> Park? {
        parks.first { $0.stage == stage && $0.isRequest == isRequest }
    }

    private func unpark(_ park: Park) {
        endTime(park.since, park.stage, park.isRequest ? .request : .response)
        parks.removeAll { $0 === park }
        let bit = UInt64(1) << UInt64(park.stage)
        if park.isRequest { parkedRequest &= ~bit } else { parkedResponse &= ~bit }
    }

    // MARK: A filter says hold

    func parkRequestHead(_ stage: Int, last: Bool) { parkHead(stage, isRequest: true, last: last) }
    func parkResponseHead(_ stage: Int, last: Bool) { parkHead(stage, isRequest: false, last: last) }

    private func parkHead(_ stage: Int, isRequest: Bool, last: Bool) {
        let park = park(stage, isRequest: isRequest)
        park.holdsHead = true
        park.headLast = last
        held(park)
    }

    func parkRequestBody(_ stage: Int, _ chunk: consuming ByteChunk, last: Bool) {
        parkBody(stage, isRequest: true, chunk, last: last)
    }

    func parkResponseBody(_ stage: Int, _ chunk: consuming ByteChunk, last: Bool) {
        parkBody(stage, isRequest: false, chunk, last: last)
    }

    private func parkBody(_ stage: Int, isRequest: Bool, _ chunk: consuming ByteChunk, last: Bool) {
        let park = park(stage, isRequest: isRequest)
        park.seen.append(chunk)
        if last { park.seenLast = true }
        held(park)
    }

    func parkTrailers(_ stage: Int, isRequest: Bool) {
        let park = park(stage, isRequest: isRequest)
        park.seenTrailers = true
        held(park)
    }

    /// Notes the token that the call took; a direction that is held at its end without one would hang for ever.
    private func held(_ park: Park) {
        park.token = pendingToken
        pendingToken = 0
        if park.token == 0 && park.isAtEnd {
            return faulted(Fault(.filterStalled, "filter.held_end_without_token"), at: park.stage)
        }
        if park.byteCount > holdLimit {
            let kind: Fault.Kind = park.isRequest ? .bodyTooLarge : .filterFailed
            faulted(Fault(kind, "filter.held_too_much", origin: .sluice), at: park.stage)
        }
    }

    // MARK: More arrives where something is held

    /// - Returns: whether the filter is shown the chunk; if not, it was kept behind what is held.
    func admitRequestBody(_ stage: Int, _ chunk: inout ByteChunk, last: Bool) -> Bool {
        admit(stage, isRequest: true, &chunk, last: last)
    }

    func admitResponseBody(_ stage: Int, _ chunk: inout ByteChunk, last: Bool) -> Bool {
        admit(stage, isRequest: false, &chunk, last: last)
    }

    private func admit(_ stage: Int, isRequest: Bool, _ chunk: inout ByteChunk, last: Bool) -> Bool {
        guard let park = found(stage, isRequest: isRequest), park.token != 0 else { return true }
        park.unseen.append(chunk.take())
        if last { park.unseenLast = true }
        if park.byteCount > holdLimit {
            let kind: Fault.Kind = isRequest ? .bodyTooLarge : .filterFailed
            faulted(Fault(kind, "filter.held_too_much", origin: .sluice), at: stage)
        }
        return false
    }

    func admitRequestTrailers(_ stage: Int) -> Bool { admitTrailers(stage, isRequest: true) }
    func admitResponseTrailers(_ stage: Int) -> Bool { admitTrailers(stage, isRequest: false) }

    private func admitTrailers(_ stage: Int, isRequest: Bool) -> Bool {
        guard let park = found(stage, isRequest: isRequest), park.token != 0 else { return true }
        park.unseenTrailers = true
        return false
    }

    // MARK: Letting go

    /// Sends on what a stage held, below it.
    ///
    /// - Returns: whether the stream still runs.
    func releaseRequest(_ stage: Int) -> Bool {
        guard let park = found(stage, isRequest: true) else { return true }
        unpark(park)
        if park.holdsHead { walkRequestHead(from: stage + 1, last: park.headLast) }
        while flags.contains(.active), let chunk = park.seen.popFirst() {
            walkRequestBody(from: stage + 1, chunk, last: park.seenLast && park.seen.isEmpty)
        }
        return flags.contains(.active) && !flags.contains(.requestDropped)
    }

    /// Sends on what a stage held, above it.
    ///
    /// - Returns: whether the stream still runs.
    func releaseResponse(_ stage: Int) -> Bool {
        guard let park = found(stage, isRequest: false) else { return true }
        unpark(park)
        if park.holdsHead {
            responseTop = stage
            walkResponseHead(below: stage, last: park.headLast)
        }
        while flags.contains(.active), let chunk = park.seen.popFirst() {
            walkResponseBody(below: stage, chunk, last: park.seenLast && park.seen.isEmpty)
        }
        return flags.contains(.active)
    }

    /// A token was used, or dropped.
    func resumed(_ key: ResumptionKey, _ outcome: ResumptionOutcome) {
        let stage = Int(key.stage)
        let isAtCluster = flags.contains(.heldAtCluster) && clusterToken == key.serial
        let park = isAtCluster ? nil : found(stage, isRequest: key.isRequest)
        guard isAtCluster || park?.token == key.serial else { return }
        park?.token = 0
        switch outcome {
        case .more: if let park { showMore(park) }
        case .resumed: if let park { letGo(park) } else { releaseAtCluster() }
        case .failed(let fault): faulted(fault, at: stage)
        case .dropped:
            let fault = Fault(.filterStalled, "filter.dropped_token")
            guard excused(fault, at: stage, holds: true) else { return faulted(fault, at: stage) }
            if let park { letGo(park) } else { releaseAtCluster() }
        case .reply(let status, let body, let fields):
            unsafe view.pointee.stage = stage
            reply(stage: stage, status, body: body) { head in
                for field in fields { head.headers.set(field.name, field.value) }
            }
            unsafe view.pointee.asked = .none
            answer(from: stage)
        case .donated(let status, let body, let fields):
            prepareReply(status, body: "")
            for field in fields { unsafe replyMemory?.pointee.headers.set(field.name, field.value) }
            replyBody = ""
            answer(from: stage, donated: body.chunk(for: worker.pages))
        }
        if flags.contains(.active) { kick() }
    }

    private func letGo(_ park: Park) {
        let stage = park.stage
        if park.isRequest {
            let ended = park.seenLast && park.seen.isEmpty && !park.holdsHead
            guard releaseRequest(stage) else { return }
            if ended { walkRequestBody(from: stage + 1, ByteChunk(), last: true) }
            if park.seenTrailers { walkRequestTrailers(from: stage + 1) }
            while flags.contains(.active), let chunk = park.unseen.popFirst() {
                walkRequestBody(from: stage, chunk, last: park.unseenLast && park.unseen.isEmpty)
                if found(stage, isRequest: true) != nil { return carryOver(park) }
                if park.unseen.isEmpty && park.unseenLast { return }
            }
            guard flags.contains(.active) else { return }
            if park.unseenLast { walkRequestBody(from: stage, ByteChunk(), last: true) }
            if park.unseenTrailers { walkRequestTrailers(from: stage) }
        } else {
            let ended = park.seenLast && park.seen.isEmpty && !park.holdsHead
            guard releaseResponse(stage) else { return }
            if ended { walkResponseBody(below: stage, ByteChunk(), last: true) }
            if flags.contains(.active), park.seenTrailers { walkResponseTrailers(below: stage) }
            while flags.contains(.active), let chunk = park.unseen.popFirst() {
                walkResponseBody(below: stage + 1, chunk, last: park.unseenLast && park.unseen.isEmpty)
                if found(stage, isRequest: false) != nil { return carryOver(park) }
                if park.unseen.isEmpty && park.unseenLast { return }
            }
            guard flags.contains(.active) else { return }
            if park.unseenLast { walkResponseBody(below: stage + 1, ByteChunk(), last: true) }
            if flags.contains(.active), park.unseenTrailers { walkResponseTrailers(below: stage + 1) }
        }
    }

    /// What is held stays; what has come meanwhile is shown to the filter, which may hold it as well.
    private func showMore(_ park: Park) {
        if park.isAtEnd { return held(park) }
        let rest = Park(stage: park.stage, isRequest: park.isRequest, since: 0)
        swap(&rest.unseen, &park.unseen)
        rest.unseenLast = park.unseenLast
        rest.unseenTrailers = park.unseenTrailers
        park.unseenLast = false
        park.unseenTrailers = false
        let (stage, isRequest) = (park.stage, park.isRequest)
        while flags.contains(.active), let chunk = rest.unseen.popFirst() {
            let isLast = rest.unseenLast && rest.unseen.isEmpty
            if isRequest {
                walkRequestBody(from: stage, chunk, last: isLast)
            } else {
                walkResponseBody(below: stage + 1, chunk, last: isLast)
            }
            if let now = found(stage, isRequest: isRequest), now.token != 0 { return carryOver(rest) }
            if isLast { return }
        }
        guard flags.contains(.active) else { return }
        if rest.unseenLast {
            if isRequest {
                walkRequestBody(from: stage, ByteChunk(), last: true)
            } else {
                walkResponseBody(below: stage + 1, ByteChunk(), last: true)
            }
        }
        guard flags.contains(.active), rest.unseenTrailers else { return }
        if isRequest { walkRequestTrailers(from: stage) } else { walkResponseTrailers(below: stage + 1) }
    }

    /// What is held under a token waits for another one.
    func retoken(_ key: ResumptionKey, _ token: UInt32) {
        if flags.contains(.heldAtCluster), clusterToken == key.serial { clusterToken = token }
        if let park = found(Int(key.stage), isRequest: key.isRequest), park.token == key.serial { park.token = token }
    }

    /// The filter held again while the rest was shown: the rest waits behind the new hold.
    private func carryOver(_ old: Park) {
        guard let park = found(old.stage, isRequest: old.isRequest) else { return }
        while let chunk = old.unseen.popFirst() { park.unseen.append(chunk) }
        park.unseenLast = old.unseenLast
        park.unseenTrailers = old.unseenTrailers
    }

    /// Whether the request may not go on now: a filter waits, or the upstream reads slowly.
    var isRequestBlocked: Bool {
        if flags.contains(.abandoned) { return true }
        if parkedRequest != 0, parks.contains(where: { $0.isRequest && $0.token != 0 }) { return true }
        if backlog.weight > 0, let pool, backlog.weight >= pool.settings.bufferLimit.bytes { return true }
        if flags.contains(.requestFull) { return true }
        guard let upstream = unsafe upstream else { return false }
        return !upstream.isShared && upstream.isOutputFull
    }

    /// Lets both ends look again whether they may read.
    func kick() {
        unsafe connection?.resumeReading()
        unsafe upstream?.resumeReading()
    }
}
