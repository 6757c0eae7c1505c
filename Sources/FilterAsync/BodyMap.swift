internal import FilterAPI

/// Changes the pieces of a body one after the other, on a task of its own.
final class BodyMap: LaneWork {
    private unowned let exchange: Exchange
    private let isRequest: Bool
    private let change: BodyChange
    private let lane: Lane
    private var piece: BodyPiece?
    private var changed: [UInt8]?
    private var fault: Fault?
    private var isShowing = false
    private var isStopped = false
    /// What an event is held with while the piece is being changed.
    private var token: Resumption?

    init(_ exchange: Exchange, isRequest: Bool, _ change: @escaping BodyChange) {
        self.exchange = exchange
        self.isRequest = isRequest
        self.change = change
        lane = exchange.worker.take()
    }

    /// A piece goes by.
    func show(_ chunk: inout ByteChunk, last: Bool, _ stream: inout Stream) -> Step {
        if chunk.isEmpty { return .next }
        piece = BodyPiece(chunk.take())
        isShowing = true
        lane.begin(self)
        isShowing = false
        if let fault {
            stream.fail(fault)
            return .next
        }
        if let changed {
            self.changed = nil
            if !changed.isEmpty { chunk = unsafe stream.makeChunk(copying: changed.span.bytes) }
            return .next
        }
        token = stream.pause()
        return .hold
    }

    nonisolated(nonsending) func work() async {
        guard let piece else { return }
        self.piece = nil
        do { changed = try await change(piece) } catch {
            fault = error as? Fault ?? Fault(.filterFailed, "async.threw")
        }
        guard !isShowing, !isStopped else { return }
        if let fault {
            takeToken()?.fail(fault)
        } else {
            unsafe exchange.host?.nudge(stage: exchange.stage)
        }
    }

    /// Sends what a held piece has become, and lets on what came behind it.
    func send(_ stream: inout Stream) {
        guard let token = takeToken() else { return }
        guard let changed else {
            self.token = consume token
            return
        }
        self.changed = nil
        if !changed.isEmpty {
            let chunk = unsafe stream.makeChunk(copying: changed.span.bytes)
            if isRequest { stream.sendBelow(chunk) } else { stream.sendAbove(chunk) }
        }
        token.resume()
    }

    private func takeToken() -> Resumption? {
        var taken: Resumption?
        swap(&taken, &token)
        return taken
    }

    /// The stream has ended.
    func stop() {
        isStopped = true
        takeToken()?.resume()
        if lane.isBusy { lane.cancel() } else { exchange.worker.put(lane) }
    }
}
