internal import Engine
internal import FilterAPI

/// The byte filters of one connection, between the socket and what is inside.
///
/// On a listener's chain bytes from the socket are requests and go down the stages; on a cluster's chain they are
/// responses and go up. Exists only for connections whose chain has byte stages.
///
/// SAFETY: the connection owns its pipe, and outlives it; the state slots lie in the connection's block.
@safe
final class BytePipe: StreamHost {
    unowned(unsafe) let connection: Connection
    let side: Side
    let inner: UnsafeMutablePointer<ByteOutput>
    let view: UnsafeMutablePointer<Stream>
    let factsMemory: UnsafeMutablePointer<StreamFacts>
    let noHead: UnsafeMutablePointer<RequestHead>
    var opened: UInt64 = 0
    private var masks: (request: UInt64, response: UInt64) = (.max, .max)
    private var held: (request: Hold, response: Hold) = (Hold(), Hold())
    var pendingToken: UInt32 = 0
    var tokenSerial: UInt32 = 0
    private var pendingFault: Fault?
    private var sentBelow = ChunkQueue()
    private var sentAbove = ChunkQueue()
    private var timers: [PipeTimer?] = []
    /// Stages that want an end passed on after what they have sent.
    private var endsBelow = false
    private var endsAbove = false
    /// Stages that are not ready, and whether the connection has been told that all are.
    private var handshakes: UInt64 = 0
    private var isOpening = false
    /// Each direction ends once, whoever ends it first.
    private var inwardEnded = false
    private var outwardEnded = false
    private var hasFailed = false
    /// What the inside has written is all that it will write.
    var innerEnds = false
    private(set) var slot: UInt32 = 0
    /// Requests of the stages' own.
    var fetches: [StageFetch] = []
    /// What a terminal asked for in `open`.
    private(set) var attached: (cluster: ClusterID, attachment: Attachment)?

    /// What one direction keeps back: the chunk that a filter said `hold` to, and all that came after it.
    private final class Hold {
        var stage = -1
        var token: UInt32 = 0
        var chunk = ByteChunk()
        var chunkLast = false
        var later = ChunkQueue()
        var laterLast = false
        var isActive: Bool { stage >= 0 }
    }

    private final class PipeTimer: LoopTimer {
        unowned(unsafe) let pipe: BytePipe
        let stage: Int
        init(pipe: BytePipe, stage: Int) {
            unsafe self.pipe = pipe
            self.stage = stage
            super.init()
        }
        override func fired() { unsafe pipe.wakeStage(stage) }
    }

    init(connection: Connection, side: Side) {
        unsafe self.connection = connection
        self.side = side
        unsafe inner = .allocate(capacity: 1)
        unsafe inner.initialize(to: ByteOutput(pool: connection.worker.pages))
        unsafe factsMemory = .allocate(capacity: 1)
        unsafe factsMemory.initialize(to: StreamFacts())
        unsafe noHead = .allocate(capacity: 1)
        unsafe noHead.initialize(to: RequestHead())
        unsafe view = .allocate(capacity: 1)
        unsafe view.initialize(to: Stream(host: self, facts: factsMemory))
    }

    deinit {
        unsafe view.deinitialize(count: 1).deallocate()
        unsafe noHead.deinitialize(count: 1).deallocate()
        unsafe factsMemory.deinitialize(count: 1).deallocate()
        unsafe inner.deinitialize(count: 1).deallocate()
        if slot != 0 { unsafe connection.worker.mailbox.forget(slot) }
    }

    /// Whether all stages are ready for what the inside sends.
    var isReady: Bool { handshakes == 0 }
    /// Whether the stages could still say something to the peer before the connection ends.
    var mayTakeLeave: Bool { !outwardEnded && !hasFailed && isReady && opened != 0 }
    /// What was sent is not all that should have been: the stages must not say that it was.
    func forbidLeave() { hasFailed = true }

    private var stageCount: Int { unsafe connection.chain.byteCount }
    private var isTerminal: Bool { unsafe connection.chain.plan.stages.last?.role == .byteTerminal }
    /// What waits on its way to the socket: what the inside has written, and what a filter holds.
    var outwardWeight: Int {
        let hold = side == .client ? held.response : held.request
        return unsafe inner.pointee.queue.weight + hold.chunk.count + hold.later.weight
    }

    /// Opens the stages, from the socket to the inside: what one of them sends to the peer passes those that are open.
    ///
    /// - Throws: what a stage threw; the connection is to be closed.
    func openStages() throws(Fault) {
        isOpening = true
        defer { isOpening = false }
        for position in 0..<stageCount {
            let stage = side == .client ? position : stageCount - 1 - position
            let entry = unsafe connection.chain.byteStages[stage]
            unsafe view.pointee.stage = stage
            unsafe view.pointee.isRequest = true
            let bit = UInt64(1) << UInt64(stage)
            unsafe connection.worker.calls.begin(entry.label, .open)
            defer { unsafe connection.worker.calls.end() }
            if unsafe try entry.type._open(entry.filter, connection.block + entry.offset, &view.pointee) {
                opened |= bit
            } else {
                masks.request &= ~bit
                masks.response &= ~bit
            }
            guard settle(stage) else { throw pendingFault ?? Fault(.filterFailed, "filter.failed_in_open") }
        }
    }

    func closeStages(_ ending: Ending) {
        cancelFetches()
        for timer in timers { if let timer, timer.isArmed { unsafe connection.worker.loop.cancel(timer) } }
        var mask = opened
        opened = 0
        while mask != 0 {
            let stage = 63 - mask.leadingZeroBitCount
            mask &= ~(UInt64(1) << UInt64(stage))
            let entry = unsafe connection.chain.byteStages[stage]
            unsafe view.pointee.stage = stage
            unsafe connection.worker.calls.begin(entry.label, .close)
            unsafe entry.type._close(entry.filter, connection.block + entry.offset, ending, &view.pointee)
            unsafe connection.worker.calls.end()
        }
    }

    // MARK: Moving bytes

    /// Bytes from the socket.
    func inward(_ chunk: consuming ByteChunk, last: Bool) {
        if side == .client {
            down(from: 0, chunk, last: last)
        } else {
            up(below: stageCount, chunk, last: last)
        }
    }

    /// Sends on what the inside has written meanwhile.
    func outwardPending() {
        guard isReady else { return }
        gatherPending()
        while let chunk = unsafe inner.pointee.queue.popFirst() {
            let isLast = unsafe innerEnds && inner.pointee.queue.isEmpty
            if isLast { innerEnds = false }
            outward(chunk, last: isLast)
        }
        guard innerEnds else { return }
        innerEnds = false
        outward(ByteChunk(), last: true)
    }

    /// Makes one chunk of several small ones: a stage may add a frame to each, which costs more than the copy.
    private func gatherPending() {
        let count = unsafe inner.pointee.queue.byteCount
        guard unsafe inner.pointee.queue.count > 1, count <= PagePool.pageRead else { return }
        let whole = unsafe connection.worker.pages.chunk(capacity: count) { memory in
            var filled = 0
            unsafe inner.pointee.queue.forEachMemory(limit: .max) { bytes in
                guard let base = bytes.baseAddress else { return }
                unsafe (memory + filled).copyMemory(from: base, byteCount: bytes.count)
                filled += bytes.count
            }
            return filled
        }
        unsafe inner.pointee.queue.removeAll()
        unsafe inner.pointee.queue.append(whole)
    }

    /// Bytes to the socket.
    func outward(_ chunk: consuming ByteChunk, last: Bool) {
        if side == .client {
            // A terminal's own stage does not see what comes back from the inside twice.
            up(below: stageCount, chunk, last: last)
        } else {
            down(from: 0, chunk, last: last)
        }
    }

    private func down(from first: Int, _ chunk: consuming ByteChunk, last: Bool) {
        if held.request.isActive {
            held.request.later.append(chunk)
            if last { held.request.laterLast = true }
            return
        }
        var chunk = chunk
        for stage in first..<max(first, stageCount) where masks.request & opened & (1 << UInt64(stage)) != 0 {
            guard let step = show(stage, &chunk, last: last, isRequest: true) else { return }
            switch step {
            case .next: break
            case .leave: masks.request &= ~(1 << UInt64(stage))
            case .hold: return keep(held.request, stage, chunk, last: last)
            case .taken:
                if !last { return }
                chunk = ByteChunk()
            }
        }
        deliver(chunk, last: last, inward: side == .client)
    }

    private func up(below end: Int, _ chunk: consuming ByteChunk, last: Bool) {
        if held.response.isActive {
            held.response.later.append(chunk)
            if last { held.response.laterLast = true }
            return
        }
        var chunk = chunk
        for stage in (0..<end).reversed() where masks.response & opened & (1 << UInt64(stage)) != 0 {
            guard let step = show(stage, &chunk, last: last, isRequest: false) else { return }
            switch step {
            case .next: break
            case .leave: masks.response &= ~(1 << UInt64(stage))
            case .hold: return keep(held.response, stage, chunk, last: last)
            case .taken:
                if !last { return }
                chunk = ByteChunk()
            }
        }
        deliver(chunk, last: last, inward: side == .upstream)
    }

    private func deliver(_ chunk: consuming ByteChunk, last: Bool, inward: Bool) {
        if inward {
            // The peer's end may have been told by a stage, and then come from the socket as well.
            if inwardEnded { return }
            if last { inwardEnded = true }
            return unsafe connection.received(chunk, last: last)
        }
        if last { outwardEnded = true }
        unsafe connection.output.pointee.append(chunk)
        if last { unsafe connection.flags.insert(.shutWriteAfterOutput) }
        unsafe connection.scheduleFlush()
    }

    private func show(_ stage: Int, _ chunk: inout ByteChunk, last: Bool, isRequest: Bool) -> Step? {
        let entry = unsafe connection.chain.byteStages[stage]
        unsafe view.pointee.stage = stage
        unsafe view.pointee.isRequest = isRequest
        let times = unsafe connection.chain.times
        let began = times == nil ? 0 : TickClock.ticks
        unsafe connection.worker.calls.begin(entry.label, isRequest ? .requestBytes : .responseBytes)
        do throws(Fault) {
            let slot = unsafe connection.block + entry.offset
            let step =
                isRequest
                ? unsafe try entry.type._requestBytes(entry.filter, slot, &chunk, last, &view.pointee)
                : unsafe try entry.type._responseBytes(entry.filter, slot, &chunk, last, &view.pointee)
            unsafe connection.worker.calls.end()
            if let times { note(TickClock.since(began), in: times, stage, isRequest) }
            return settle(stage) ? step : nil
        } catch {
            fault(error, from: stage)
            return nil
        }
    }

    private func note(_ ticks: UInt64, in times: ChainTimes, _ stage: Int, _ isRequest: Bool) {
        let histograms = times.bytes[stage]
        (isRequest ? histograms.request : histograms.response).record(times.clock.nanoseconds(ticks))
    }

    func settle(_ stage: Int) -> Bool {
        let asked = unsafe view.pointee.asked
        if asked.isNone { return true }
        unsafe view.pointee.asked = .none
        if asked.contains(.fail), let fault = pendingFault {
            self.fault(fault, from: stage)
            return false
        }
        if asked.contains(.reply) {
            fault(Fault(.filterFailed, "filter.reply_on_bytes"))
            return false
        }
        sendOn(stage, outward: true)
        // Only then may the inside begin: what it sends comes after a handshake's last words.
        if asked.contains(.handshake), isReady {
            connectionFacts.handshakeEnd = now
            if !isOpening { unsafe connection.handshakesEnded() }
        }
        sendOn(stage, outward: false)
        return unsafe !connection.flags.contains(.closed)
    }

    /// Passes on what a stage has sent to the peer, or to the inside.
    private func sendOn(_ stage: Int, outward: Bool) {
        if outward == (side == .upstream) {
            while let chunk = sentBelow.popFirst() { down(from: stage + 1, chunk, last: false) }
            guard endsBelow else { return }
            endsBelow = false
            down(from: stage + 1, ByteChunk(), last: true)
        } else {
            while let chunk = sentAbove.popFirst() { up(below: stage, chunk, last: false) }
            guard endsAbove else { return }
            endsAbove = false
            up(below: stage, ByteChunk(), last: true)
        }
    }

    /// A stage gives the connection up. What it has sent to the peer before, an alert of TLS perhaps, is passed on.
    func fault(_ fault: Fault, from stage: Int? = nil) {
        unsafe connection.worker.calls.end()
        guard !hasFailed else { return }
        hasFailed = true
        // An upstream's is counted with the request that it fails.
        if side == .client { unsafe connection.worker.count(fault) }
        unsafe factsMemory.pointee.reason = fault.reason
        unsafe view.pointee.asked = .none
        endsBelow = false
        endsAbove = false
        if let stage { sendOn(stage, outward: true) }
        if unsafe !connection.flags.contains(.closed) { unsafe connection.stagesFailed(fault) }
    }

    // MARK: Holding

    private func keep(_ hold: Hold, _ stage: Int, _ chunk: consuming ByteChunk, last: Bool) {
        guard pendingToken != 0 else { return fault(Fault(.filterStalled, "filter.held_bytes_without_token")) }
        hold.stage = stage
        hold.token = pendingToken
        pendingToken = 0
        hold.chunk = chunk
        hold.chunkLast = last
    }

    /// Whether bytes from the socket have to wait.
    var isInwardHeld: Bool { side == .client ? held.request.isActive : held.response.isActive }

    /// What is held under a token waits for another one.
    func retoken(_ key: ResumptionKey, _ token: UInt32) {
        let hold = key.isRequest ? held.request : held.response
        if hold.isActive, hold.token == key.serial { hold.token = token }
    }

    func resumed(_ key: ResumptionKey, _ outcome: ResumptionOutcome) {
        let hold = key.isRequest ? held.request : held.response
        guard hold.isActive, hold.token == key.serial else { return }
        guard case .resumed = outcome else {
            return fault(Fault(.filterStalled, "filter.held_bytes_not_resumed"))
        }
        let stage = hold.stage
        hold.stage = -1
        let chunk = hold.chunk.take()
        var rest = ChunkQueue()
        swap(&rest, &hold.later)
        let last = hold.laterLast
        if key.isRequest {
            down(from: stage + 1, chunk, last: hold.chunkLast)
        } else {
            up(below: stage, chunk, last: hold.chunkLast)
        }
        replay(rest, last: last, isRequest: key.isRequest)
        unsafe connection.resumeReading()
    }

    private func replay(_ rest: consuming ChunkQueue, last: Bool, isRequest: Bool) {
        var rest = rest
        while let chunk = rest.popFirst() {
            let isLast = last && rest.isEmpty
            if isRequest { down(from: 0, chunk, last: isLast) } else { up(below: stageCount, chunk, last: isLast) }
        }
    }

    private func wakeStage(_ stage: Int) {
        guard opened & (1 << UInt64(stage)) != 0 else { return }
        let entry = unsafe connection.chain.byteStages[stage]
        unsafe view.pointee.stage = stage
        do throws(Fault) {
            unsafe connection.worker.calls.begin(entry.label, .wake)
            unsafe try entry.type._wake(entry.filter, connection.block + entry.offset, &view.pointee)
            unsafe connection.worker.calls.end()
            _ = settle(stage)
        } catch {
            fault(error, from: stage)
        }
    }

    // MARK: What filters call

    var connectionFacts: ConnectionFacts { unsafe connection.facts }
    var now: FilterAPI.Instant { unsafe connection.worker.instant }
    var pages: PagePool { unsafe connection.worker.pages }
    var requestHead: UnsafeMutablePointer<RequestHead> { unsafe noHead }
    func useRouteSettings(_ settings: RouteSettingsTable?) {}

    func makeResumption(stage: Int, isRequest: Bool) -> Resumption {
        let mailbox = unsafe connection.worker.mailbox
        if slot == 0 { slot = mailbox.enroll(self) }
        pendingToken = nextToken()
        return Resumption(target: mailbox, key: key(stage, isRequest, pendingToken))
    }

    func nextToken() -> UInt32 {
        tokenSerial &+= 1
        return tokenSerial
    }

    func key(_ stage: Int, _ isRequest: Bool, _ token: UInt32) -> ResumptionKey {
        ResumptionKey(slot: slot, generation: 0, stage: UInt8(stage), isRequest: isRequest, serial: token)
    }

    func wake(stage: Int, after delay: Duration) {
        while timers.count <= stage { timers.append(nil) }
        let timer = timers[stage] ?? PipeTimer(pipe: self, stage: stage)
        timers[stage] = timer
        unsafe connection.worker.loop.schedule(timer, after: delay.wholeNanoseconds)
    }

    func cancelWake(stage: Int) {
        if stage < timers.count, let timer = timers[stage], timer.isArmed {
            unsafe connection.worker.loop.cancel(timer)
        }
    }

    func reply(stage: Int, _ status: Status, body: String, _ edit: (inout ResponseHead) -> Void) {}

    func handshake(stage: Int, isOver: Bool) {
        let bit = UInt64(1) << UInt64(stage)
        if isOver { handshakes &= ~bit } else { handshakes |= bit }
    }

    func fail(stage: Int, _ fault: Fault) { pendingFault = fault }

    func send(stage: Int, isRequest: Bool, _ chunk: consuming ByteChunk) {
        if isRequest { sentBelow.append(chunk) } else { sentAbove.append(chunk) }
    }

    func sendEnd(stage: Int, isRequest: Bool) { if isRequest { endsBelow = true } else { endsAbove = true } }

    func restartBelow(stage: Int, _ head: borrowing RequestHead, last: Bool) throws(Fault) {
        throw Fault(.filterFailed, "filter.replay_of_bytes")
    }

    func attach(_ cluster: ClusterID, _ attachment: Attachment) { attached = (cluster, attachment) }

}
