internal import Engine
internal import FilterAPI

/// A connection that sends some bytes and waits for others.
final class TCPProbeConnection: ProbeConnection {
    private let question: TCPQuestion
    private var matcher: BlockMatcher
    private var receivedCount = 0

    init(worker: Worker, pool: ClusterPool, endpoint: Endpoint, question: TCPQuestion) {
        self.question = question
        matcher = BlockMatcher(question.receive)
        super.init(worker: worker, pool: pool, endpoint: endpoint)
    }

    override func ask() {
        // SAFETY: the output is the connection's own, or its pipe's, and both live as long as it does.
        let send = question.send
        if !send.isEmpty { unsafe innerOutput.pointee.append(send.span.bytes) }
        scheduleFlush()
        guard matcher.isDone else { return }
        // The question is sent all the same: an endpoint that is used to it may complain of connections without one.
        flush()
        if !flags.contains(.closed) { probe?.answered(.passed, keeps: false) }
    }

    override func received(_ chunk: consuming ByteChunk, last: Bool) {
        guard let probe, !matcher.isDone else { return }
        matcher.take(chunk.bytes)
        receivedCount += chunk.count
        if matcher.isDone { return probe.answered(.passed, keeps: false) }
        if last { return lose("upstream.closed") }
        // What comes so late is no answer.
        if receivedCount > PayloadSettings.limit {
            probe.answered(CheckOutcome(kind: .unreachable, cause: "no match"), keeps: false)
        }
    }
}
