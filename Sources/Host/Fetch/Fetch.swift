internal import Engine
internal import FilterAPI

/// A request of a filter's own: a stream without a client and without filters, whose answer comes here.
///
/// Made on a worker, used on its thread only. It keeps itself alive in the worker's ``FetchDesk`` until it is over.
class Fetch: FetchLine {
    let desk: FetchDesk
    let number: UInt64
    private let cluster: ClusterID
    private let timeout: Duration
    /// When whoever asks must have an answer; ``Instant/none`` for no such time.
    private let deadline: FilterAPI.Instant
    private var request: FetchRequest
    /// What carries it; nil before it has begun, and when it is over.
    private var stream: HTTPStream?
    private(set) var isOver = false

    init(
        _ request: consuming FetchRequest, number: UInt64, cluster: ClusterID, deadline: FilterAPI.Instant,
        desk: FetchDesk
    ) {
        self.number = number
        self.cluster = cluster
        self.desk = desk
        self.deadline = deadline
        timeout = request.timeout
        self.request = request
    }

    // MARK: What the answer's reader says; for subclasses

    var isFull: Bool { false }
    func head(_ head: inout ResponseHead, last: Bool) {}
    func body(_ chunk: consuming ByteChunk, last: Bool) {}
    func failed(_ fault: Fault) {}

    // MARK: The request

    /// Sends it. Nothing of a filter runs now.
    func begin(_ worker: Worker, chain: Chain) {
        guard !isOver else { return }
        guard let pool = worker.pool(cluster) else {
            return fail(Fault(.noCluster, "chain.unknown_cluster"))
        }
        let stream = unsafe worker.streams.take(worker: worker).takeUnretainedValue()
        self.stream = stream
        stream.begin(on: nil, chain: chain)
        stream.fetch = self
        unsafe stream.factsMemory.pointee.start = worker.instant
        fill(stream, host: pool.name.text)
        var attachment = Attachment()
        attachment.timeout = timeout
        stream.attach(cluster, attachment)
        stream.limit(to: deadline)
        let body = request.body.take()
        stream.requestHeadArrived(last: body.isEmpty)
        if !body.isEmpty, self.stream === stream { stream.requestBodyArrived(body, last: true) }
    }

    private func fill(_ stream: HTTPStream, host: String) {
        let count = request.body.count
        if !request.head.headers.contains(.host) { request.head.setAuthority(host) }
        request.head.headers.remove(.contentLength)
        if count > 0 { request.head.headers.set(.contentLength, count) }
        request.head.bodyLength = count > 0 ? .known(count) : .none
        unsafe stream.headMemory.pointee.assign(from: request.head)
    }

    func readOn() { unsafe stream?.upstream?.resumeReading() }

    /// The stream that asked has ended, or does not want to know any more.
    func cancel() {
        guard !isOver else { return }
        leave()
        guard let stream else { return }
        self.stream = nil
        stream.fetch = nil
        // Whose doing it is that nobody waits any more is not known here: the endpoint's it is not.
        stream.end(.fault(Fault(.clientGone, "fetch.cancelled")))
    }

    // MARK: What the stream says

    func headArrived(_ head: inout ResponseHead, last: Bool) {
        if last { over() }
        self.head(&head, last: last)
    }

    func bodyArrived(_ chunk: consuming ByteChunk, last: Bool) {
        if last { over() }
        body(chunk, last: last)
    }

    /// The stream ends with a fault, and is released after this.
    func streamFailed(_ fault: Fault) {
        stream = nil
        fail(fault)
    }

    private func over() {
        guard !isOver else { return }
        stream?.fetch = nil
        stream = nil
        leave()
    }

    /// Ends it before there is an answer.
    private func fail(_ fault: Fault) {
        guard !isOver else { return }
        leave()
        failed(fault)
    }

    private func leave() {
        isOver = true
        desk.forget(self)
    }
}
