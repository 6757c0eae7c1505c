public import FilterAPI

/// What a filter can know and do while it has a request or its answer in hand.
///
/// Both are good until the stream has ended; after that there is nothing to see, and what is asked for throws
/// `CancellationError`.
public protocol AsyncMessage: ~Copyable {
    /// The stream that it belongs to.
    var stream: AsyncStreamHandle { get }
}

extension AsyncMessage where Self: ~Copyable {
    /// What is known of the stream.
    public var facts: StreamFacts {
        get { stream.presentFacts }
        nonmutating set { stream.exchange.setFacts(newValue, stream.round) }
    }

    /// What is known of the client's connection; nil where the stream has ended.
    public var connection: ConnectionFacts? { stream.host?.connectionFacts }

    /// The time of this turn of the worker's loop.
    public var now: Instant { stream.host?.now ?? .none }

    /// When the whole answer must be there; ``/FilterAPI/Instant/none`` while there is no such time.
    public var deadline: Instant { stream.host?.deadline ?? .none }

    /// What is left until ``deadline``; nil where there is none, zero where it has passed.
    public var timeLeft: Duration? { deadline == .none ? nil : deadline.since(now) }

    /// Sets an earlier ``deadline``; a later one than there is has no effect.
    public func limit(to deadline: Instant) { stream.host?.limit(to: deadline) }

    /// What the matched route sets for a filter; nil where it sets nothing, and before the router has seen the request.
    public func routeSettings<F: Filter>(of filter: F) -> F.RouteSettings? { stream.presentSettings(of: filter) }

    /// Sends a request of the filter's own to a cluster, and waits for the answer's head.
    ///
    /// - Parameters:
    ///   - request: head and body; the timeout is for the whole answer.
    ///   - cluster: as `worker.cluster(_:)` gives it.
    /// - Throws: a ``/FilterAPI/Fault`` where there is no answer; `CancellationError` where the stream has ended.
    public nonisolated(nonsending) func fetch(
        _ request: consuming FetchRequest, from cluster: ClusterID
    ) async throws -> FetchedResponse {
        try await stream.exchange.fetch(request, from: cluster, stream.round)
    }

    /// Waits, without keeping the worker from anything.
    ///
    /// - Throws: `CancellationError` where the stream has ended.
    public nonisolated(nonsending) func sleep(for duration: Duration) async throws {
        try await stream.exchange.sleep(for: duration, stream.round)
    }

    /// An answer of the filter's own: return it in place of calling ``Next``, or of what it gave, which is given up then.
    public func reply(
        _ status: Status, body: String = "", fields: [(name: HeaderName, value: String)] = []
    ) -> AsyncResponse {
        AsyncResponse(stream, reply: LocalReply(status: status, body: body, fields: fields))
    }

    /// A chunk with a copy of some bytes, for the body of a ``/FilterAPI/FetchRequest``.
    public func makeChunk(copying bytes: [UInt8]) -> ByteChunk {
        guard let pages = stream.host?.pages else { return ByteChunk() }
        return unsafe pages.chunk(copying: bytes.span.bytes)
    }
}

/// A hold on a stream that outlives request and answer: for what is done while neither is in hand.
public struct AsyncStreamHandle: AsyncMessage {
    let exchange: Exchange
    let round: UInt64

    /// Itself.
    public var stream: AsyncStreamHandle { self }

    var host: (any StreamHost)? { round == exchange.round ? unsafe exchange.host : nil }

    var presentFacts: StreamFacts {
        round == exchange.round ? unsafe exchange.factsMemory.pointee : StreamFacts()
    }

    func presentSettings<F: Filter>(of filter: F) -> F.RouteSettings? {
        guard round == exchange.round, let table = unsafe exchange.routeTable else { return nil }
        let stage = exchange.stage
        return unsafe table._withUnsafeGuaranteedRef { $0.settings(of: F.RouteSettings.self, stage: stage) }
    }
}
