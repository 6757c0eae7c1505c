internal import FilterAPI

/// What the filter's task asks for.
extension Exchange {
    /// Lets the request go on, and waits for the answer.
    nonisolated(nonsending) func forward(_ round: UInt64) async throws {
        guard round == self.round else { throw CancellationError() }
        phase = .waiting
        if !isInEvent { takeToken(isRequest: true)?.resume() }
        unsafe await withUnsafeContinuation { unsafe answerWaiter.set($0) }
        guard round == self.round else { throw CancellationError() }
        if let faultBelow { throw faultBelow }
    }

    /// Sends a request of the filter's own, and waits for the answer's head.
    nonisolated(nonsending) func fetch(
        _ request: consuming FetchRequest, from cluster: ClusterID, _ round: UInt64
    ) async throws -> FetchedResponse {
        guard round == self.round, let host = unsafe host else { throw CancellationError() }
        let response = FetchedResponse(executor: worker.executor)
        note(response)
        var request: FetchRequest? = consume request
        response.begin { receiver in
            // Called once, at once.
            host.fetch(stage: stage, request.take() ?? FetchRequest(), from: cluster, for: receiver)
        }
        try await response.headArrived()
        return response
    }

    nonisolated(nonsending) func sleep(for duration: Duration, _ round: UInt64) async throws {
        guard round == self.round, let host = unsafe host else { throw CancellationError() }
        sleepUntil = Instant(nanoseconds: host.now.nanoseconds &+ duration.wholeNanoseconds)
        host.wake(stage: stage, after: duration)
        unsafe await withUnsafeContinuation { unsafe sleepWaiter.set($0) }
        guard round == self.round else { throw CancellationError() }
    }

    var isSleepOver: Bool { unsafe host.map { sleepUntil <= $0.now } ?? true }
}
