internal import Engine
internal import FilterAPI

/// Asks one endpoint one question, again and again, on a worker; keeps the connection where the question allows it.
///
/// What it does counts neither against the cluster's limits nor in the statistics of requests.
final class Probe {
    private let order: ProbeOrder
    private let endpoint: Endpoint
    unowned private let worker: Worker
    private var connection: ProbeConnection?
    private var isAsking = false
    private lazy var deadline = CallbackTimer { [unowned self] in self.timedOut() }

    init(_ order: ProbeOrder, worker: Worker) {
        self.order = order
        self.worker = worker
        let entry = order.endpoint
        let address = order.check.address(of: entry.address)
        endpoint = Endpoint(
            address: address, name: address == entry.address ? entry.name : FactName(address.description),
            host: entry.host)
    }

    /// Begins a check.
    func ask() {
        guard !isAsking else { return }
        isAsking = true
        worker.loop.schedule(deadline, after: order.check.timeout)
        if let kept = connection {
            if kept.canAsk { return kept.ask() }
            drop()
        }
        connect()
    }

    private func connect() {
        // It has been put in place before the first order was given.
        guard let pool = worker.pool(order.cluster) else { return finish(.unreachable, "upstream.no_cluster") }
        let made: ProbeConnection
        switch order.check.question {
        case .tcp(let question):
            made = TCPProbeConnection(worker: worker, pool: pool, endpoint: endpoint, question: question)
        case .request(let question):
            guard let codec = pool.chain.clientCodec else { return finish(.unreachable, "chain.no_client_codec") }
            made = HTTPProbeConnection(worker: worker, pool: pool, endpoint: endpoint, codec: codec, question: question)
        }
        made.probe = self
        do throws(SystemFault) { try made.start() } catch {
            return finish(.unreachable, "\(ConnectReason.text(error.errno))")
        }
        connection = made
    }

    private func timedOut() {
        let isConnected = connection?.isBegun ?? false
        // A bad status is one also where the rest of the answer never comes.
        let refusal = connection?.refusal
        drop()
        if let refusal { return finish(refusal.kind, refusal.cause) }
        finish(.unreachable, isConnected ? "timeout" : "upstream.connect_timeout")
    }

    private func finish(_ kind: CheckOutcome.Kind, _ cause: String) {
        guard isAsking else { return }
        isAsking = false
        if deadline.isArmed { worker.loop.cancel(deadline) }
        order.link.report(CheckOutcome(kind: kind, cause: cause), of: order.watch)
    }

    private func drop() {
        let gone = connection
        connection = nil
        gone?.probe = nil
        gone?.abandon()
    }

    /// Nobody wants to know any more.
    func stop() {
        isAsking = false
        if deadline.isArmed { worker.loop.cancel(deadline) }
        drop()
    }

    // MARK: What its connection calls

    /// The check has ended.
    ///
    /// - Parameter keeps: whether the connection is good for another one.
    func answered(_ outcome: CheckOutcome, keeps: Bool) {
        if !keeps { drop() }
        finish(outcome.kind, outcome.cause)
    }

    /// The connection has gone.
    ///
    /// - Parameter isRace: it had been kept, and has ended before anything came for this question: that says nothing of
    ///   the endpoint.
    func lost(_ cause: String, isRace: Bool) {
        drop()
        guard isAsking else { return }
        if isRace { return connect() }
        finish(.unreachable, cause)
    }
}
