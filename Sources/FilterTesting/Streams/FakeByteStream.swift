public import FilterAPI

/// A stream around one byte filter or byte terminal: ``FakeStream`` for filters that see bytes and no messages.
///
/// ```swift
/// let stream = FakeByteStream(try FakeWorker().make(ProxyProtocol.self))
/// stream.requestBytes("PROXY TCP4 192.0.2.1 192.0.2.2 4000 80\\r\\nGET /")
/// #expect(stream.below.text == "GET /")
/// ```
///
/// The filter is opened when the stream begins, as a host does: look at ``StreamUnderTest/isInHandshake`` and at what
/// was sent before anything is shown. Requests go down and responses up on both sides; on ``/FilterAPI/Side/client`` the
/// peer is above, on ``/FilterAPI/Side/upstream`` below.
@safe
public final class FakeByteStream<F: ByteEvents>: StreamUnderTest<F> {
    var sent: [(isRequest: Bool, bytes: [UInt8], ends: Bool)] = []
    var answersOfCall = 0

    /// A connection that has just been made.
    ///
    /// - Parameters:
    ///   - filter: the filter; several streams may be around one.
    ///   - side: the kind of chain that the filter was made for.
    ///   - clock: the clock; streams of one filter that has a memory for times have one together.
    ///   - prepare: changes what the filter is told of the connection before it is opened.
    public init(
        _ filter: F, side: Side = .client, clock: ManualClock = ManualClock(),
        prepare: (ConnectionFacts) -> Void = { _ in }
    ) {
        super.init(filter, memory: FakeMemory(clock: clock))
        self.side = side
        unsafe view.initialize(to: Stream(host: self, facts: memory.facts))
        prepare(connection)
    }

    /// What has gone on towards the upstream.
    public var below: Passed { down.passed }
    /// What has gone on towards the client.
    public var above: Passed { up.passed }
    /// What has gone on to the peer.
    public var toPeer: Passed { side == .client ? above : below }
    /// What has gone on to the inside of the chain.
    public var toInside: Passed { side == .client ? below : above }
    /// Whether the filter keeps requests back.
    public var holdsRequest: Bool { down.token != 0 }
    /// Whether the filter keeps responses back.
    public var holdsResponse: Bool { up.token != 0 }

    /// Opens the filter, where no event has done so.
    public func open() { _ = openIfNeeded() }

    /// Shows bytes on their way to the upstream; `last` where their sender has ended its direction.
    @discardableResult
    public func requestBytes(_ text: String, last: Bool = false) -> Step? {
        requestBytes(bytes: Array(text.utf8), last: last)
    }

    /// Shows bytes on their way to the upstream.
    @discardableResult
    public func requestBytes(bytes: [UInt8], last: Bool = false) -> Step? {
        arrive(bytes, last: last, isRequest: true)
    }

    /// Shows bytes on their way to the client; `last` where their sender has ended its direction.
    @discardableResult
    public func responseBytes(_ text: String, last: Bool = false) -> Step? {
        responseBytes(bytes: Array(text.utf8), last: last)
    }

    /// Shows bytes on their way to the client.
    @discardableResult
    public func responseBytes(bytes: [UInt8], last: Bool = false) -> Step? {
        arrive(bytes, last: last, isRequest: false)
    }

    /// The peer sends bytes: down on the client's side, up on the upstream's.
    @discardableResult
    public func fromPeer(_ bytes: [UInt8], last: Bool = false) -> Step? {
        arrive(bytes, last: last, isRequest: side == .client)
    }

    /// The inside of the chain has bytes for the peer.
    @discardableResult
    public func fromInside(_ bytes: [UInt8], last: Bool = false) -> Step? {
        arrive(bytes, last: last, isRequest: side != .client)
    }

    override var hasLifetime: Bool { true }
    override func doWhatWasAsked() -> Bool { settleCall() }
    override func resumed(_ key: ResumptionKey, _ outcome: ResumptionOutcome) { tokenUsed(key, outcome) }
}

/// What a byte filter calls through `Stream`.
extension FakeByteStream: StreamHost {
    package func reply(stage: Int, _ status: Status, body: String, _ edit: (inout ResponseHead) -> Void) {
        answersOfCall += 1
    }

    package func send(stage: Int, isRequest: Bool, _ chunk: consuming ByteChunk) {
        sent.append((isRequest, chunk.copied(), false))
    }

    package func sendEnd(stage: Int, isRequest: Bool) { sent.append((isRequest, [], true)) }

    package func restartBelow(stage: Int, _ head: borrowing RequestHead, last: Bool) throws(Fault) {
        brokenRules.append(.lateReplay)
        throw Fault(.filterFailed, "filter.replay_of_bytes")
    }
}
