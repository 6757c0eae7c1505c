internal import FilterAPI

/// A request whose answer goes to a receiver as it comes.
final class ReceiverFetch: Fetch {
    private let receiver: any FetchReceiver

    init(
        _ request: consuming FetchRequest, for receiver: any FetchReceiver, cluster: ClusterID,
        deadline: FilterAPI.Instant, desk: FetchDesk
    ) {
        self.receiver = receiver
        super.init(request, number: desk.nextNumber(), cluster: cluster, deadline: deadline, desk: desk)
    }

    override var isFull: Bool { receiver.isFull }
    override func head(_ head: inout ResponseHead, last: Bool) { receiver.fetchedHead(&head, last: last) }
    override func body(_ chunk: consuming ByteChunk, last: Bool) { receiver.fetchedBody(chunk, last: last) }
    override func failed(_ fault: Fault) { receiver.fetchFailed(fault) }
}
