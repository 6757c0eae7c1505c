/// What the host does for ``Stream``. The test kit has a second one.
package protocol StreamHost: AnyObject {
    var connectionFacts: ConnectionFacts { get }
    var side: Side { get }
    var now: Instant { get }
    var deadline: Instant { get }
    func limit(to deadline: Instant)
    var pages: PagePool { get }
    var requestHead: UnsafeMutablePointer<RequestHead> { get }
    /// Keeps the settings as long as the stream.
    func useRouteSettings(_ settings: RouteSettingsTable?)
    func makeResumption(stage: Int, isRequest: Bool) -> Resumption
    func wake(stage: Int, after delay: Duration)
    func cancelWake(stage: Int)
    func reply(stage: Int, _ status: Status, body: String, _ edit: (inout ResponseHead) -> Void)
    func fail(stage: Int, _ fault: Fault)
    func send(stage: Int, isRequest: Bool, _ chunk: consuming ByteChunk)
    func sendEnd(stage: Int, isRequest: Bool)
    func restartBelow(stage: Int, _ head: borrowing RequestHead, last: Bool) throws(Fault)
    func abandonBelow(stage: Int) throws(Fault)
    func claimReplay() -> Bool
    func handshake(stage: Int, isOver: Bool)
    func attach(_ cluster: ClusterID, _ attachment: Attachment)
    /// Where the response's head is while one goes by or is held.
    var responseHead: UnsafeMutablePointer<ResponseHead> { get }
    var seat: WorkerSeat { get }
    /// Calls the stage's `wake` at the end of this turn; for what happens on the worker's thread but outside of the filter.
    func nudge(stage: Int)
    /// Sends a request of the stage's own, after the call; the stage's `fetched` is shown the answer.
    func fetch(stage: Int, isRequest: Bool, _ request: consuming FetchRequest, from cluster: ClusterID) -> FetchID
    /// Sends a request, at the end of this turn, whose answer goes to a receiver piece by piece.
    func fetch(
        stage: Int, _ request: consuming FetchRequest, from cluster: ClusterID, for receiver: any FetchReceiver
    ) -> any FetchLine
}

/// For connections that carry bytes only: they have no answer to wait for, and nothing to send again.
extension StreamHost {
    package var deadline: Instant { .none }
    package func limit(to deadline: Instant) {}
    package var responseHead: UnsafeMutablePointer<ResponseHead> { unsafe NoResponse.head }
    // Only asynchronous filters ask for it, and they speak HTTP.
    package func nudge(stage: Int) {}
    package func claimReplay() -> Bool { true }
    package func abandonBelow(stage: Int) throws(Fault) {
        throw Fault(.filterFailed, "filter.replay_of_bytes")
    }
}

/// Where there are no responses.
///
/// SAFETY: nobody writes there who has no response to look at.
private enum NoResponse {
    static nonisolated(unsafe) let head: UnsafeMutablePointer<ResponseHead> = {
        let memory = UnsafeMutablePointer<ResponseHead>.allocate(capacity: 1)
        unsafe memory.initialize(to: ResponseHead())
        return unsafe memory
    }()
}
