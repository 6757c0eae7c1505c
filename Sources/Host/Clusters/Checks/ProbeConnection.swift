internal import Engine
internal import FilterAPI

/// A connection to an endpoint that carries health checks only, through the byte filters of the cluster's chain.
class ProbeConnection: Connection {
    let endpoint: Endpoint
    /// Whom to tell; nil where nobody wants to know any more.
    weak var probe: Probe?
    private let keepAlive: SocketOption?
    /// The connection is made, and its filters are ready.
    private(set) final var isBegun = false

    init(worker: Worker, pool: ClusterPool, endpoint: Endpoint) {
        self.endpoint = endpoint
        keepAlive = pool.keepAlive
        super.init(worker: worker, chain: pool.chain, bufferLimit: pool.settings.bufferLimit, traffic: .uncounted)
        if chain.byteCount > 0 {
            pipe = BytePipe(connection: self, side: .upstream)
            facts.fill(endpoint, of: pool)
        }
    }

    // MARK: What subclasses do

    /// Asks the question; the connection is ready for it.
    func ask() {}
    /// Whether one that was kept is good for another question: over HTTP/2 the endpoint may have taken leave since.
    var canAsk: Bool { true }
    /// The peer must not take what it was sent for all.
    func abandon() { close() }
    /// What an answer says against the endpoint that has begun, and may never end.
    var refusal: CheckOutcome? { nil }
    /// Whether an end of the connection says nothing of the endpoint.
    var isRace: Bool { false }

    // MARK: The connection

    /// Begins to connect; asks as soon as that is done.
    ///
    /// - Throws: where the kernel refuses at once.
    final func start() throws(SystemFault) {
        try dial(endpoint.address, keepAlive: keepAlive)
    }

    final override func connected() {
        do throws(Fault) { try pipe?.openStages() } catch { return lose("\(error.reason)") }
        if pipe?.isReady ?? true { begin() }
        scheduleFlush()
    }

    final override func handshakesEnded() { begin() }

    private func begin() {
        isBegun = true
        ask()
    }

    final override func stagesFailed(_ fault: Fault) {
        flushLastWords()
        lose("\(fault.reason)")
    }

    final override func failed(_ errno: Int32) {
        if !isBegun { return lose("\(ConnectReason.text(errno))") }
        lose(errno == 0 ? "upstream.closed" : "upstream.reset")
    }

    final override var hearsLastWords: Bool { isBegun }

    final override func beforeFlush() {
        guard flags.contains(.wantsDecode) else { return }
        flags.remove(.wantsDecode)
        if flags.contains(.canRead), wantsInput { read() }
    }

    final override var wantsInput: Bool { !(pipe?.isInwardHeld ?? false) }

    /// The connection is of no use any more.
    final func lose(_ cause: String) {
        let wasRace = isRace
        close()
        probe?.lost(cause, isRace: wasRace)
    }
}
