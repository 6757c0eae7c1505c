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
}

/// For connections that carry bytes only: they have no answer to wait for, and nothing to send again.
extension StreamHost {
    package var deadline: Instant { .none }
    package func limit(to deadline: Instant) {}
    package func claimReplay() -> Bool { true }
    package func abandonBelow(stage: Int) throws(Fault) {
        throw Fault(.filterFailed, "filter.replay_of_bytes")
    }
}
